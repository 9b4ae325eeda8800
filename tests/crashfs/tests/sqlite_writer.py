"""A control not written here: SQLite in WAL mode, one row per transaction.

FOLDER FULL|NORMAL inserts for ever and prints each row after its commit; FOLDER verify prints the
rows of a database that passes its own integrity check.
"""

import hashlib
import os
import sqlite3
import sys

folder, what = sys.argv[1:3]
path = os.path.join(folder, "rows.db")


def sync_folder(name):
    fd = os.open(name, os.O_RDONLY)
    os.fsync(fd)
    os.close(fd)


if what == "verify":
    db = sqlite3.connect(path)
    (verdict,) = db.execute("pragma integrity_check").fetchone()
    if verdict != "ok":
        sys.exit(verdict)
    for index, value in db.execute("select id, value from rows order by id"):
        print(index, value)
    sys.exit(0)

os.makedirs(folder, exist_ok=True)
sync_folder(os.path.dirname(folder))
db = sqlite3.connect(path, isolation_level=None)
db.execute("pragma journal_mode=wal")
db.execute("pragma synchronous=full")
db.execute("create table if not exists rows (id integer primary key, value text)")
# The empty table is on disk in both cases, so that what is lost are rows and not the database.
db.execute("pragma wal_checkpoint(full)")
db.execute(f"pragma synchronous={what}")
# SQLite syncs its folder for a rollback journal, but not when it makes the first WAL.
sync_folder(folder)
(index,) = db.execute("select coalesce(max(id), 0) from rows").fetchone()
while True:
    index += 1
    value = hashlib.sha256(str(index).encode()).hexdigest() * 8
    db.execute("insert into rows values (?, ?)", (index, value))
    print(index, value, flush=True)
