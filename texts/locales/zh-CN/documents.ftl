### What is printed: the labels and sentences of documents, receipts and notices (A11 to A13, A15).

## Reasons and ways to pay, as paper names them (A1, A12)

reason-first-under16 = 首次申领（未满十六周岁）
reason-first-from16 = 首次申领（年满十六周岁）
reason-settling = 港澳台居民定居申领
reason-returned-overseas = 华侨回国定居申领
reason-naturalised = 入籍申领
reason-expiry = 到期换领
reason-damage = 损坏换领
reason-loss = 丢失补领
payment-method-wechat = 微信支付
payment-method-alipay = 支付宝
payment-method-unionpay-card = 银联卡
payment-method-quickpass = 云闪付

## Titles

doc-certificate = 居民身份证领取凭证
doc-form = 居民身份证申领登记表
doc-notice = 缴费通知单
doc-paid-notice = 缴费凭据
doc-receipt = 业务回执
doc-window-ticket = 人工窗口转办单

## Labels

label-accepted-on = 受理日期
label-accepted-at = 受理时间
label-accepted-by = 受理单位
label-acceptance-number = 受理号
label-operator = 承办人
operator-self-service = 自助受理
label-reason = 申领原因
label-name = 姓名
label-sex = 性别
label-ethnicity = 民族
label-birth-date = 出生日期
label-number = 公民身份号码
label-address = 常住户口所在地住址
label-validity = 有效期限
validity-years = { $years } 年（自签发之日起）
validity-long-term = 长期（自签发之日起）
label-issuer = 签发机关
label-phone = 联系电话
label-portrait = 相片
label-right-finger = 右手指纹
label-left-finger = 左手指纹
label-documents = 证明材料
label-signature = 申请人签名
label-review = 审核（签章）
label-collect-at = 领取地点
label-collection = 领证方式
collection-at-machine = 自助领证
label-hours = 服务时间
label-ready-by = 预计领取日期
ready-after-payment = 缴费后，以短信通知为准
ready-after-review = 通过核查后，以短信通知为准
ready-after-both = 缴费并通过核查后，以短信通知为准
label-station = 站点
label-time = 时间
label-fee = 工本费
label-item = 缴费项目
item-card-fee = 居民身份证工本费
label-payment-method = 缴费方式
label-transaction = 交易号
label-order = 订单号
label-pay-by = 缴费期限
label-payee = 收款单位
label-session = 业务编号
label-window = 办理窗口
label-ticket = 转办单号
label-to-complete = （待窗口补填）
label-not-captured = 未采集
label-finger-quality = { $finger }，质量 { $quality }
label-pages = { $count } 页
sex-male = 男
sex-female = 女
amount-yuan = { $amount } 元
fee-paid = 已缴
fee-unpaid = 未缴

## Fingers, as GA/T 1011 numbers them

finger-thumb = 拇指
finger-index = 食指
finger-middle = 中指
finger-ring = 环指
finger-little = 小指

## What the papers say

certificate-bring = 领取证件时，请出示本凭证。到期换领、损坏换领的，须同时交回原证件。
certificate-keep-safe = 自助领证须由本人办理并核验指纹。请妥善保管本凭证，勿转借他人，勿公开条码。
certificate-held = 证件到达通知后请于 { $days } 日内领取。
certificate-scan = 领证时在自助领证机上扫描条码
doc-provisional = 预受理：经核查后生效，结果以短信通知。待核查：{ $causes }。
provisional-eligibility = 资格（未能联网）
provisional-comparison = 本机未比对的相片或指纹
provisional-clock = 受理时间
provisional-portrait = 相片调取
provisional-phone = 手机号码
provisional-expiry = 证件有效期限
form-declaration = 本人确认以上信息及所提交材料真实、准确，并已依法登记指纹信息。
form-only-copy = 本表由自助设备打印，申请人已在签名板上签名。
notice-wechat = 请用微信扫描上方二维码缴费。
notice-alipay = 请用支付宝扫描上方二维码缴费。
notice-unionpay-card = 请在自助设备上插入银联卡缴费。
notice-quickpass = 请用云闪付在自助设备上缴费。
notice-cash = 请持本通知单到人工窗口现金缴费。
notice-cash-method = 窗口现金
notice-open-method = 待缴（原选{ $method }）
notice-later = 尚未缴费，订单已保留。请用本地公安政务服务 App 扫描上方二维码缴费（微信、支付宝“扫一扫”不能识别），或持本通知单到人工窗口缴费。
notice-lapses = 逾缴费期限未缴费的，申请作废。
notice-term-to-come = 缴费期限自申请通过核查之日起计算，通过核查后以短信告知。
notice-unpaid-consequence = 未缴费的申请不予制证。
notice-paid = 已缴费。本凭据不作报销凭证。
ticket-go-on = 窗口工作人员扫描条码即可继续办理，无需重新填写。
ticket-bring = 请携带：居民身份证（如有）、户口簿。
ticket-valid = 本单有效期至 { $until }，逾期须重新办理。
receipt-verify = 此二维码供核验本记录使用。
