### Pickup of a finished card, and what every kiosk shows.

## Why a request was refused

refusal-not-a-kiosk = This device cannot make requests
refusal-expired = The request came too late, please start again
refusal-out-of-service = The station is out of service
refusal-machine-blocked = The machine is blocked, please contact the staff
refusal-machine-busy = The machine is in use, please wait
refusal-device-offline = A device is offline, please contact the staff
refusal-no-applications = This kiosk takes no applications
refusal-out-of-step = Please answer what the screen asks now
refusal-number-invalid = This is not a citizen number, please check it and enter it again
refusal-phone-invalid = This is not a mobile number, please enter it again
refusal-phones-differ = The two phone numbers differ, please enter both again
refusal-code-wrong = The code is wrong, please enter it again
refusal-code-expired = The code is no longer valid, please ask for another one
refusal-blob-missing = The picture did not arrive, please try again
refusal-picture-unusable = This has to be a JPEG or PNG picture, a photo of 512 KB at the most: please give another one
refusal-picture-damaged = The picture is not whole, or has more than 2000 pixels a side: please give another one
refusal-not-a-choice = Please choose from the list
refusal-not-offered = This cannot be done at this step
refusal-documents-full = No more documents can be attached
refusal-no-record = No card is recorded for you, please go to the window
refusal-not-yet-arrived = Your card has not arrived yet, please wait for the notice
refusal-held = Your card is held, please go to the window
refusal-already-collected = Your card has been collected already. If it was not you, contact the staff at once.
refusal-other-machine = Your card is in another machine of this station
refusal-not-eligible = Your card is not within the scope of self-service pickup, please go to the window
refusal-no-such-session = This session has ended or does not exist, please start again
refusal-papers-gone = These papers cannot be printed again, please contact the staff
refusal-session-open = The session is still open; wait until it has ended
refusal-not-serving = The device serves no session, so this was not kept
refusal-too-late = Too late: the card is on its way out
refusal-operator-unknown = Operator or PIN unknown
refusal-operator-locked = Too many wrong PINs, please wait
refusal-manifest-unreadable = The manifest is missing or cannot be read
refusal-batch-known = The batch has been received before
refusal-batch-unknown = There is no such batch, or it is closed
refusal-card-unknown = There is no such card
refusal-card-elsewhere = The card is not where this needs it
refusal-slot-unusable = The slot is taken or does not exist
refusal-nothing-to-resolve = There is nothing to resolve at this machine
refusal-maintenance = The machine is under maintenance, please use another one or go to the window
refusal-device-contradicted = A device has to be checked, please contact the staff
refusal-target-unknown = There is no such machine or device in the configuration
refusal-already-so = It is so already, nothing was changed
refusal-nothing-to-accept = The device says nothing that would have to be confirmed
refusal-not-as-configured = The device is not what the configuration says: change station.toml first, and restart
refusal-ticket-unknown = There is no such window ticket
refusal-ticket-closed = The window ticket is closed already, nothing was changed
refusal-message-id-reused = The message id was used before for other content
refusal-unreadable = The message cannot be read
refusal-unknown = Unknown request

## What a kiosk shows

prompt-idle = Scan the barcode of the collection certificate or key in the citizen number
idle-both = To collect a card, scan the barcode of the collection certificate or key in the citizen number. You can also apply for a new card here
idle-application = Cards cannot be collected at this machine for now. You can apply for a new card here
prompt-fetching = Your card is being fetched and checked, please wait
prompt-right-finger = Put the registered finger of your right hand on the scanner
prompt-left-finger = Put the registered finger of your left hand on the scanner
prompt-finger-again = The fingerprint did not match: wipe your finger and try again.
prompt-look-at-camera = Look into the camera
prompt-old-card = Put your old card on the reader
prompt-old-card-taken = Your old card has been taken in
prompt-presenting = Your card is on its way to the outlet
prompt-take-card = Please take your card
prompt-taking-back = The card goes back
prompt-operator-act = The staff are at work at this machine
prompt-application = Your application is under way
prompt-done-act = Done
prompt-done = Done, thank you
prompt-ended = The session has ended

## How a pickup ended

ended-collected = The card was collected
ended-not-taken = The card was not taken and is back in the machine; you may start again
ended-cancelled = Cancelled
ended-timed-out = Out of time, please start again
ended-identity-failed = The fingerprints did not match, please go to the window
ended-card-mismatch = The card does not agree with its record, please go to the window
ended-card-unreadable = The card cannot be read, please go to the window
ended-no-fingerprints = The card holds no fingerprints, please go to the window
ended-card-missing = The card was not found, please go to the window
ended-old-card-missing = No old card was handed in, please go to the window
ended-no-photo = No photo could be taken, please go to the window
ended-device-failed = A device failed, please go to the window
ended-interrupted = The session was interrupted, please start again

## Why a station, a machine or a kiosk is out of service

out-of-service-storage-low = Out of service: the station's storage is nearly full
out-of-service-log-in-doubt = Out of service: the station's records must be checked
out-of-service-maintenance = Under maintenance: please use another machine, or go to the window
out-of-service = The machine is out of service, please contact the staff

## What a slip says

slip-pickup = Receipt of pickup: the card was collected. This code is for verifying the record.
