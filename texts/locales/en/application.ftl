### Applying for a resident ID card at a kiosk (A). The English of A3, A5 and A9 is that of the requirement.

## The beginning

apply-choose-kind = Choose what you need
apply-choose-residence = Where is your household registered?
apply-residence-checking = Your household registration is being checked, please wait

## Who applies (A3, A4)

apply-lay-card = Lay your resident ID card on the reader
apply-lift-card = Lift your card first, then lay it on the reader again
apply-card-unreadable = Unable to read, please contact the staff
apply-key-in-number = Key in your citizen number
apply-number-wrong = This is not a citizen number, please check it and key it in again
apply-confirm-number = Is this you? Citizen number { $number }
apply-confirm-identity = Is this you? { $name }, citizen number { $number }

## What is not accepted (A1, A3, A5)

apply-out-of-scope = Your resident ID card is not within the self-service acceptance scope. If you need help, please contact the staff.
apply-first-issue-at-window = A first resident ID card is applied for at the window: { $address }
apply-temporary-at-window = A temporary resident ID card is applied for at the window: { $address }
apply-renewal-early = It is too early to renew your card: please come from { $opens } on
apply-renewal-late = Self-service renewal of your card ended on { $closes }, please go to the window
apply-renewal-never = Your card is valid for life and does not have to be renewed
apply-loss-reported = This card is reported as lost: please choose the replacement of a lost card
apply-already-applied = An application of yours is already under way, please ask at the window with its collection certificate
apply-at-another-machine = An application for this number is under way at another machine. Please finish or cancel it there, or ask the staff

## The portrait, its four ways (A6)

apply-portrait-choose = Choose where your photo comes from
apply-portrait-checking = Your photo is being checked, please wait
apply-portrait-failed = The last photo did not meet: { $checks }

## What is wrong with a portrait, by the name of the check (A6; GA/T 461)

portrait-one-face = There must be one face in the picture, yours alone: try again
portrait-size = The photo does not have the size asked for: try again or send another one
portrait-face-size = Your face is too large or too small: change your distance from the lens
portrait-centred = Move your face to the middle of the picture
portrait-head-upright = Your head is tilted: hold it upright and try again
portrait-looks-ahead = Face the lens straight, neither sideways nor up or down
portrait-eyes-open = Your eyes are closed: open them and try again
portrait-mouth-closed = Close your mouth and look natural
portrait-eyes-visible = Your eyes are hidden, or your glasses are tinted or reflect: take care of that and try again
portrait-uncovered = Something covers your face or head: take it off and try again
portrait-ears-visible = Show both ears and try again
portrait-background = The background is not white: try again
portrait-lighting = The light is too bright, too dark or uneven: change your place and try again
portrait-sharpness = The picture is blurred: hold still and try again

## The names of the checks

check-one-face = one face
check-size = size of the photo
check-face-size = size of the face
check-centred = place of the face
check-head-upright = upright head
check-looks-ahead = looking ahead
check-eyes-open = open eyes
check-mouth-closed = closed mouth
check-eyes-visible = eyes in view
check-uncovered = nothing covering face or head
check-ears-visible = ears in view
check-background = white background
check-lighting = lighting
check-sharpness = sharpness

## The live photo (A7)

apply-live-photo = Look into the camera, to show that it is you
apply-live-photo-again = When you are ready, go on and look into the camera: another photo is taken
apply-live-again = The live photo could not be used, please try once more

## The phone number (A8)

apply-phone = Key in your mobile number
apply-phone-wrong = This is not a mobile number, please key in its 11 digits
apply-phone-differs = The two numbers differ, please key them in again
apply-sms-sending = A code is being sent, please wait
apply-sms-code = A code was sent to { $phone }: key it in
apply-sms-code-wrong = The code is wrong, please key it in again
apply-sms-code-expired = The code is no longer valid, please ask for a new one
apply-sms-unavailable = No text message can be sent now; your number will be confirmed later
apply-sms-last-code = This was the last code that can be sent. With another number please go to the window
apply-sms-no-code-left = No more codes can be sent: with a number that is given now you are sent to the window

## Fingerprints (A9)

apply-right-finger = Put your right { $finger } on the scanner
apply-left-finger = Put your left { $finger } on the scanner
apply-no-card = No card was found
apply-reader-away = The card reader cannot be used now, please contact the staff
apply-device-in-use = The device is serving somebody else. Please wait: the screen tells you when it is your turn
apply-no-finger = No finger was found
finger-of-card = finger whose print is registered
apply-finger-again = The print is not clear: wipe your finger and put it on again
apply-finger-differs = This print is not the one on your card: use the finger that was registered

## Supporting documents (A10)

apply-documents = If you have documents such as the household register, lay them on the scanner

## The signature (A11)

apply-signature = Check what you see, then sign on the pad

## Payment (A12)

apply-payment = The fee is { $amount } CNY: choose how to pay
apply-pay-wechat = Pay { $amount } CNY: scan the code with WeChat
apply-pay-alipay = Pay { $amount } CNY: scan the code with Alipay
apply-pay-unionpay-card = Pay { $amount } CNY: insert your UnionPay card
apply-pay-quickpass = Pay { $amount } CNY: hold your phone or card to the terminal
apply-pay-cash = Pay { $amount } CNY in cash at the window, with the payment notice
apply-pay-later = The fee of { $amount } CNY is still due: pay it later, with the payment notice
apply-paid = Payment of { $amount } CNY received.
apply-pay-code-awaited = A code to pay { $amount } CNY by is being asked for, please wait. If none comes, pay later with the payment notice.
apply-payment-waiting = Waiting for the payment, please stay here
apply-payment-declined = The payment was declined, try again or choose another way
apply-payment-cancelled = The payment was cancelled and nothing was paid
apply-payment-timed-out = The payment took too long and nothing was paid, please choose again
apply-payment-unknown = It is not certain whether this was paid. Please do not pay again: it is being looked into
apply-payment-unknown-wait = The payment is being checked, please wait; you may also choose to pay later, and leave with the payment notice
apply-payment-unknown-choose = If money was taken, do not pay again: choose to pay later, and leave with the payment notice. If none was, choose how to pay
apply-payment-no-code = No code to pay by can be had at the moment. Please choose another way, or pay later with the payment notice
apply-payment-code-over = The code has expired. Please choose again; if you have already paid with it, please wait a moment.
apply-free = This is free of charge

## The end (A13, A15, A17)

apply-printing = Your papers are being printed, please wait
apply-done = Your application is accepted. Keep the collection certificate: to collect the card, scan its barcode or key in your citizen number. Note the acceptance number for enquiries.
apply-done-provisional = Your application is accepted provisionally, until it is checked. Keep the collection certificate: to collect the card, scan its barcode or key in your citizen number. Note the acceptance number for enquiries.
apply-take-papers = Take all your papers, and bring the collection certificate when you collect the card.
apply-take-ticket = Take the ticket.
apply-print-failed = Not all of your papers could be printed, please contact the staff
apply-papers-at-window = Not all of your papers could be printed: take them at the window, with ticket number { $ticket }. You need not start again
apply-to-window = Please go to the window with the ticket: they go on from here, you need not start again. The window: { $address }
apply-cancelled = The application was cancelled
apply-interrupted = A device has failed and nothing was applied for: please start again, or contact the staff
apply-timed-out = Out of time: nothing was applied for, please start again
apply-not-paid = The fee was not paid in time: your application has lapsed. You may apply again.

## Notices that follow (A17, T2)

apply-notice-confirmed = Your application for a resident ID card has passed the check
apply-notice-confirmed-due = Your application for a resident ID card has passed the check. The fee is still due: please pay it by { $by } with the payment notice. No card is made until it is paid; if it is not paid by then, the application lapses.
apply-notice-confirmed-unpaid = Your application for a resident ID card has passed the check. The fee is still due: please pay it with the payment notice. No card is made until it is paid; if it is not paid in time, the application lapses.
apply-notice-rejected = Your application for a resident ID card did not pass the check. Please go to the window of the station where you applied, with ticket { $ticket }
apply-notice-papers = Your application for a resident ID card is accepted. Its papers could not be printed at the machine: please take them at the window of the station where you applied, with ticket { $ticket }
apply-notice-payment-due = The fee for your resident ID card is still due. Please pay it by { $by }, with the payment notice. No card is made until it is paid; if it is not paid by then, your application lapses.
apply-notice-lapsed = The fee of your resident ID card was not paid in time: your application has lapsed. You may apply again; what is paid now is given back.
apply-notice-refund = What you paid for your resident ID card is given back, the way it was paid

## Why somebody is sent to the window (A9, A15)

window-no-grant = The centre has not answered in time, and this machine may not decide it alone
window-clock-not-trusted = The time of this machine is in doubt
window-provisional-limit = The centre has not answered in time, and this machine may accept no more on its own
window-centre-asks = An officer has to look into your case
window-portrait-failed = No photo came out well
window-portrait-differs = The photo does not match the one on record
window-live-differs = The live photo did not match
window-no-live-photo = No live photo could be taken
window-number-failed = The citizen number was entered wrongly too often
window-phone-failed = The phone number could not be confirmed
window-fingers-not-captured = fingerprint information collection failed, please go to the household administration window
window-fingers-differ = The fingerprints do not match those of your present card
window-device-failed = A device has failed
window-device-busy = The device was in use by others all the time
window-too-many-numbers = Only a few citizen numbers can be looked up in one session
window-numbers-exhausted = No more applications can be accepted here today
window-review-rejected = Your application did not pass the review
window-papers-not-handed-out = Your application is accepted, but not all of its papers were printed
