### What is printed: the labels and sentences of documents, receipts and notices (A11 to A13, A15).

## Reasons and ways to pay, as paper names them (A1, A12)

reason-first-under16 = First issue, under 16
reason-first-from16 = First issue, from 16
reason-settling = First issue, settled from Hong Kong, Macao or Taiwan
reason-returned-overseas = First issue, returned from overseas
reason-naturalised = First issue, naturalised
reason-expiry = Renewal on expiry
reason-damage = Replacement of a damaged card
reason-loss = Replacement of a lost card
payment-method-wechat = WeChat Pay
payment-method-alipay = Alipay
payment-method-unionpay-card = UnionPay card
payment-method-quickpass = QuickPass

## Titles

doc-certificate = Resident ID card - collection certificate
doc-form = Resident ID card - registration form
doc-notice = Payment notice
doc-paid-notice = Payment receipt
doc-receipt = Receipt
doc-window-ticket = Window ticket

## Labels

label-accepted-on = Accepted on
label-accepted-at = Accepted at
label-accepted-by = Accepted by
label-acceptance-number = Acceptance number
label-operator = Handled by
operator-self-service = self-service
label-reason = Reason
label-name = Name
label-sex = Sex
label-ethnicity = Ethnic group
label-birth-date = Date of birth
label-number = Citizen number
label-address = Registered address
label-validity = Validity
validity-years = { $years } years from the day of issue
validity-long-term = for life, from the day of issue
label-issuer = Issuing authority
label-phone = Phone
label-portrait = Photo
label-right-finger = Right finger
label-left-finger = Left finger
label-documents = Documents
label-signature = Signature of applicant
label-review = Review (signature, seal)
label-collect-at = Collect at
label-collection = Way to collect
collection-at-machine = at the machine
label-hours = Opening hours
label-ready-by = Ready by
ready-after-payment = after payment; a text message tells you
ready-after-review = after review; a text message tells you
ready-after-both = after payment and review; a text message tells you
label-station = Station
label-time = Time
label-fee = Fee
label-item = For
item-card-fee = Fee for a resident ID card
label-payment-method = Way to pay
label-transaction = Transaction
label-order = Order number
label-pay-by = Pay by
label-payee = Payee
label-session = Session
label-window = Window
label-ticket = Ticket number
label-to-complete = (to be completed at the window)
label-not-captured = not captured
label-finger-quality = { $finger }, quality { $quality }
label-pages = { $count } pages
sex-male = male
sex-female = female
amount-yuan = CNY { $amount }
fee-paid = paid
fee-unpaid = not paid yet

## Fingers, as GA/T 1011 numbers them

finger-thumb = thumb
finger-index = index finger
finger-middle = middle finger
finger-ring = ring finger
finger-little = little finger

## What the papers say

certificate-bring = Show this certificate when you collect the card. For a renewal or a damaged card, hand in the old one.
certificate-keep-safe = Self-service pickup is for the card's owner in person, with a fingerprint check. Keep this certificate safe, lend it to nobody and show its codes to nobody.
certificate-held = Please collect the card within { $days } days of the notice that it has arrived.
certificate-scan = Scan the barcode at a self-service pickup machine
doc-provisional = Provisional: the application holds once it has been checked; a text message tells you. Open: { $causes }.
provisional-eligibility = eligibility (the centre could not be asked)
provisional-comparison = comparisons not made here
provisional-clock = the time
provisional-portrait = the photo
provisional-phone = the phone number
provisional-expiry = the expiry of the present card
form-declaration = I confirm that what is stated here and what I handed in is true and correct, and that my fingerprints have been registered as the law requires.
form-only-copy = Printed by a self-service kiosk; signed by the applicant on the signature pad.
notice-wechat = Scan the code above with WeChat to pay.
notice-alipay = Scan the code above with Alipay to pay.
notice-unionpay-card = Insert your UnionPay card at a kiosk to pay.
notice-quickpass = Pay by QuickPass at a kiosk.
notice-cash = Take this notice to the window and pay in cash.
notice-cash-method = Cash at the window
notice-open-method = open (chosen: { $method })
notice-later = Not paid yet; the order is kept. Scan the code above in the public security service app (WeChat and Alipay themselves cannot read it), or pay at the window with this notice.
notice-lapses = After the day given above your application lapses.
notice-term-to-come = The time to pay begins when your application is confirmed; a text message tells you of it.
notice-unpaid-consequence = No card is made until the fee is paid.
notice-paid = Paid. Not a tax receipt.
ticket-go-on = The window scans this code and goes on from here: you need not start again.
ticket-bring = Please bring your resident ID card, if you have it, and the household register.
ticket-valid = This ticket is valid until { $until }; after that you start again.
receipt-verify = This code is for verifying the record.
