### Applying for a resident ID card at a kiosk (A). The English of A3, A5 and A9 is that of the requirement.

## The beginning

apply-choose-kind = Choose what you need
apply-choose-residence = Where is your household registered?
apply-residence-local = Registered in this city
apply-residence-province = Elsewhere in this province
apply-residence-other-province = In another province
apply-residence-checking = Your household registration is being checked, please wait

## Who applies (A3, A4)

apply-lay-card = Lay your resident ID card on the reader
apply-reading-card = Your card is being read, please leave it where it is
apply-card-unreadable = Unable to read, please contact the staff
apply-key-in-number = Key in your citizen number
apply-number-wrong = This is not a citizen number, please check it and key it in again
apply-confirm-identity = Is this you? { $name }, citizen number { $number }

## What is not accepted (A1, A3, A5)

apply-out-of-scope = Your resident ID card is not within the self-service acceptance scope. If you need help, please contact the staff.
apply-first-issue-at-window = A first resident ID card is applied for at the window: { $address }
apply-temporary-at-window = A temporary resident ID card is applied for at the window: { $address }
apply-renewal-early = It is too early to renew your card: please come from { $opens } on
apply-renewal-late = Self-service renewal of your card ended on { $closes }, please go to the window
apply-renewal-never = Your card is valid for life and does not have to be renewed
apply-loss-reported = This card is reported as lost: please choose the replacement of a lost card
apply-already-applied = An application of yours is already under way, please ask with its collection certificate
apply-numbers-used-up = No more applications can be accepted today, please come tomorrow or go to the window

## The portrait, its four ways (A6)

apply-portrait-choose = Choose where your photo comes from
apply-portrait-receipt = Scan the barcode of your photo receipt
apply-portrait-booth = Sit upright and look straight into the lens: your photo will be taken
apply-portrait-phone = Scan the code with your phone and send the photo
apply-portrait-prepared = The photo that you had taken before is being looked for, please wait
apply-portrait-not-found = No photo was found, please choose another way
apply-portrait-checking = Your photo is being checked, please wait
apply-portrait-good = Your photo is good. Use it?
apply-portrait-attempts-used = No photo came out well, please go to the window

## What is wrong with a portrait, by the name of the check (A6; GA/T 461)

portrait-no-face = No face was found: face the lens and try again
portrait-several-faces = Somebody else is in the picture: try again alone
portrait-not-frontal = Face the lens straight, neither sideways nor up or down
portrait-head-tilted = Your head is tilted: hold it upright and try again
portrait-eyes-closed = Your eyes are closed: open them and try again
portrait-eyes-hidden = Your eyes are hidden, or your glasses reflect: take care of that and try again
portrait-dark-glasses = Take off tinted glasses and try again
portrait-mouth-open = Close your mouth and look natural
portrait-face-covered = Your face is covered by hair or something else: take it away and try again
portrait-head-covered = Take off your hat and try again
portrait-too-near = You are too near: move back a little
portrait-too-far = You are too far away: come a little nearer
portrait-off-centre = Move your face to the middle of the picture
portrait-too-dark = The picture is too dark: try again
portrait-too-bright = The picture is too bright: try again
portrait-uneven-light = The light on your face is uneven: change your place and try again
portrait-blurred = The picture is blurred: hold still and try again
portrait-background = The background is not white: try again
portrait-light-clothes = Wear dark clothes and try again
portrait-wrong-size = The photo does not have the size asked for: please send another one
portrait-wrong-format = The photo cannot be read: please send another one
portrait-not-yours = The photo does not match the one on record: try again

## The live photo (A7)

apply-live-photo = Look into the camera, to show that it is you
apply-live-photo-failed = The live photo did not match, please go to the window

## The phone number (A8)

apply-phone = Key in your mobile number
apply-phone-again = Key in your mobile number again
apply-phone-wrong = This is not a mobile number, please key in its 11 digits
apply-phone-differs = The two numbers differ, please key them in again
apply-sms-code = A code was sent to { $phone }: key it in
apply-sms-code-wrong = The code is wrong, please key it in again
apply-sms-code-expired = The code is no longer valid, please ask for a new one
apply-sms-unavailable = No text message can be sent now; your number will be confirmed later

## Fingerprints (A9)

apply-right-finger = Put your right { $finger } on the scanner
apply-left-finger = Put your left { $finger } on the scanner
apply-finger-again = The print is not clear: wipe your finger and put it on again
apply-finger-good = The print is good, take your finger away
apply-fingers-failed = fingerprint information collection failed, please go to the household administration window
apply-fingers-differ = The fingerprints do not match those of your present card, please go to the window

## Supporting documents (A10)

apply-documents = If you have documents such as the household register, lay them on the scanner
apply-document-scanned = { $count } pages are scanned: go on, or say that this is all
apply-document-unreadable = The scan is not clear, please lay it down again

## The signature (A11)

apply-signature = Check what you see, then sign on the pad
apply-signature-empty = There is no signature, please sign again

## Payment (A12)

apply-payment = The fee is { $amount } CNY: choose how to pay
apply-pay-wechat = Pay { $amount } CNY: scan the code with WeChat
apply-pay-alipay = Pay { $amount } CNY: scan the code with Alipay
apply-pay-unionpay-card = Pay { $amount } CNY: insert your UnionPay card
apply-pay-quickpass = Pay { $amount } CNY: hold your phone or card to the terminal
apply-pay-cash = Pay { $amount } CNY in cash at the window, with the payment notice
apply-pay-later = The network is down: pay { $amount } CNY later, with the payment notice
apply-payment-waiting = Waiting for the payment, please stay here
apply-paid = Paid
apply-payment-declined = The payment was declined, try again or choose another way
apply-payment-cancelled = The payment was cancelled and nothing was paid
apply-payment-timed-out = The payment took too long and nothing was paid, please choose again
apply-payment-unknown = It is not certain whether this was paid. Please do not pay again: it is being looked into
apply-free = This is free of charge

## The end (A13, A15, A17)

apply-printing = Your papers are being printed, please wait
apply-done = Your application is accepted. Take your papers, and bring the collection certificate when you collect the card.
apply-done-provisional = Your application is accepted provisionally. A text message will tell you what the check says. Take your papers.
apply-print-failed = Your papers could not be printed, please contact the staff
apply-to-window = Please take the ticket to the window: they go on from here, you need not start again
apply-cancelled = The application was cancelled
apply-timed-out = Out of time: nothing was applied for, please start again

## Notices that follow (A17, T2)

apply-notice-confirmed = Your application for a resident ID card has passed the check
apply-notice-rejected = Your application for a resident ID card did not pass the check. Please go to the window: { $address }
