#!/usr/bin/env bash
# What the scripts of this folder have in common: acting as a kiosk with mosquitto_sub and mosquitto_pub, and the hands of the simulated
# citizen. It is read in, not run.

# shellcheck disable=SC2034
broker=127.0.0.1:1883 station=demo kiosk=kiosk-1 wait_s=60
# shellcheck disable=SC2034
topic='' payload='' message_id='' answer=''

stop() { printf '%s\n' "$@" >&2; exit 2; }

say() {
    local ms=$(((${EPOCHREALTIME/[.,]/} - began) / 1000))
    printf '%3d.%d s  %s\n' $((ms / 1000)) $((ms / 100 % 10)) "$*"
}

# The first string, or number, of this name in a line of JSON; the texts of the station hold no quotes.
field() {
    local pattern="\"$2\":\"?([^\",}]*)"
    if [[ $1 =~ $pattern ]]; then printf '%s' "${BASH_REMATCH[1]}"; fi
}
text_of() {
    local pattern='"zh":"([^"]*)","en":"([^"]*)"'
    # A text of more than one line comes with \n between them.
    if [[ $1 =~ $pattern ]]; then printf '%s — %s' "${BASH_REMATCH[1]//'\n'/ }" "${BASH_REMATCH[2]//'\n'/. }"; fi
}

# Takes the options that all of these scripts have, and is false for any other: common_option NAME VALUE.
common_option() {
    case $1 in
    --broker) broker=$2 ;; --station) station=$2 ;; --kiosk) kiosk=$2 ;; --wait) wait_s=$2 ;;
    *) return 1 ;;
    esac
}

# Becomes the kiosk: listens to everything that it is told, and to what an observer may see of the machines.
connect() {
    [[ $wait_s =~ ^[1-9][0-9]{0,3}$ ]] || stop "--wait takes seconds, 1 to 9999"
    [[ $broker == ?*:?* ]] || stop "--broker takes HOST:PORT"
    local program
    for program in mosquitto_sub mosquitto_pub; do
        command -v "$program" >/dev/null ||
            stop "$program is missing. On Debian: apt-get install mosquitto-clients. Elsewhere: https://mosquitto.org/download"
    done
    tree=station/v1/$station base=$tree/$kiosk
    host=${broker%:*} port=${broker##*:}
    began=${EPOCHREALTIME/[.,]/}
    absent="No station answers at $broker. In another terminal: cargo run --release"
    # Into a pipe, mosquitto_sub would keep its lines back; with -d it says when its subscription stands.
    coproc SUB {
        exec stdbuf -oL mosquitto_sub -V 5 -d -h "$host" -p "$port" -q 1 -F 'msg %t %p' -t "$base/session" -t "$base/receipt/+" \
            -t "$tree/+/cmd/+" -t "$tree/+/cmd/+/reply" -t "$tree/+/event/+" 2>&1
    }
    # Bash forgets both when the process ends.
    subscriber=$SUB_PID
    exec {messages}<&"${SUB[0]}"
    trap 'kill "$subscriber" 2>/dev/null || true' EXIT
    await_subscription
    await_station
}

# Waits at most so many seconds for the next message; sets topic and payload.
next_message() {
    local line until=$((SECONDS + $1))
    while ((SECONDS <= until)); do
        read -r -t "$((until - SECONDS + 1))" -u "$messages" line || {
            kill -0 "$subscriber" 2>/dev/null || stop "The connection to the station has ended."
            return 1
        }
        [[ $line == 'msg '* ]] || continue
        line=${line#msg }
        topic=${line%% *} payload=${line#* }
        return 0
    done
    return 1
}

await_subscription() {
    local line
    while read -r -t 10 -u "$messages" line; do
        [[ $line != Subscribed* ]] || return 0
    done
    stop "$absent"
}

# A request of the kiosk with a new message id and a deadline of a minute; sets message_id.
request() {
    local said
    message_id=$(</proc/sys/kernel/random/uuid)
    said=$(mosquitto_pub -V 5 -h "$host" -p "$port" -q 1 -t "$base/request/$1" -m \
        "{\"message_id\":\"$message_id\",\"deadline_ms\":$((($(date +%s) + 60) * 1000))${2:+,$2}}" 2>&1) ||
        stop "$absent" "$said"
    case $said in
    '') ;;
    *'format invalid'*) stop "The station cannot read this: a voucher has 22 digits, a citizen number a check character that fits." ;;
    *authorized*)
        stop "The station takes no requests of $station/$kiosk from here." \
            "It does so for its own kiosks, while its devices are simulated, and from the same machine."
        ;;
    *) stop "The station did not take the request: $said" ;;
    esac
}

# The kiosk's screen.
screen() {
    local attempt left name
    attempt=$(field "$1" attempt) left=$(field "$1" seconds_left) name=$(field "$1" name)
    say "  屏幕 screen │ ${name:+$name: }$(text_of "$1")${attempt:+ (attempt $attempt)}${left:+ [$left s]}"
}

# Whoever answers this is a station with this kiosk.
await_station() {
    request get-session
    topic=''
    until [[ $topic == "$base/session" ]]; do
        next_message 5 || stop "A broker answers at $broker, but no station \"$station\" with a kiosk \"$kiosk\" behind it."
    done
    say "station $station answers at $broker; this is $kiosk"
}

# http METHOD HOST:PORT PATH [JSON]: sets answer, and is true where it was a success. A centre that cannot reach its store says nothing.
http() {
    local connection status body=${4-}
    exec {connection}<>"/dev/tcp/${2%:*}/${2##*:}" || stop "Nobody answers at $2. In another terminal: cargo run --release"
    printf '%s %s HTTP/1.0\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s' \
        "$1" "$3" "$2" "${#body}" "$body" >&"$connection"
    status='' answer='no answer within 10 s: is the link cut?'
    if read -r -t 10 _ status _ <&"$connection"; then
        answer=$(timeout 10 cat <&"$connection") || status=''
    fi
    exec {connection}>&-
    answer=${answer#*$'\r\n\r\n'}
    [[ $status == 2* ]]
}
