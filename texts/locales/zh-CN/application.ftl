### Applying for a resident ID card at a kiosk (A). The English of A3, A5 and A9 is that of the requirement.

## The beginning

apply-choose-kind = 请选择要办理的业务
apply-choose-residence = 请选择您的户籍所在地
apply-residence-checking = 正在核对户籍信息，请稍候

## Who applies (A3, A4)

apply-lay-card = 请将您的居民身份证平放在读卡区
apply-lift-card = 请先拿起证件，再重新平放在读卡区
apply-card-unreadable = 无法读取证件，请联系工作人员
apply-key-in-number = 请输入您的公民身份号码
apply-number-wrong = 公民身份号码有误，请核对后重新输入
apply-confirm-number = 请确认是否本人：公民身份号码 { $number }
apply-confirm-identity = 请确认是否本人：{ $name }，公民身份号码 { $number }

## What is not accepted (A1, A3, A5)

apply-out-of-scope = 您的居民身份证不在自助受理范围内，如需帮助，请联系工作人员。
apply-first-issue-at-window = 首次申领居民身份证请到人工窗口办理：{ $address }
apply-temporary-at-window = 临时居民身份证请到人工窗口办理：{ $address }
apply-renewal-early = 您的证件尚未到换领时间，请于 { $opens } 起办理
apply-renewal-late = 您的证件已超过自助换领期限（{ $closes }），请到人工窗口办理
apply-renewal-never = 您的证件长期有效，无需到期换领
apply-loss-reported = 该证件已挂失，不能用于换领，请选择丢失补领
apply-already-applied = 您已有正在办理的申请，请持领取凭证到人工窗口咨询
apply-at-another-machine = 该公民身份号码正在另一台自助机上办理，请在那台机器上完成或取消，或咨询工作人员

## The portrait, its four ways (A6)

apply-portrait-choose = 请选择相片来源
apply-portrait-checking = 正在检测相片，请稍候
apply-portrait-failed = 最后一次提交的相片，下列项目不合格：{ $checks }

## What is wrong with a portrait, by the name of the check (A6; GA/T 461)

portrait-one-face = 请单独正对镜头重拍：画面中须有且仅有一张人脸
portrait-size = 相片尺寸不符合要求，请重拍或重新上传
portrait-face-size = 面部过大或过小，请调整与镜头的距离
portrait-centred = 请将面部移到画面中央
portrait-head-upright = 头部倾斜，请摆正后重拍
portrait-looks-ahead = 请正对镜头，不要侧脸或抬头低头
portrait-eyes-open = 双眼未睁开，请睁眼重拍
portrait-mouth-closed = 请闭合嘴唇，表情自然
portrait-eyes-visible = 眼睛被遮挡、眼镜反光或镜片有色，请整理后重拍
portrait-uncovered = 面部或头部被遮挡，请摘下帽子等物品后重拍
portrait-ears-visible = 请露出双耳后重拍
portrait-background = 背景不是白色，请重拍
portrait-lighting = 光线过亮、过暗或不均，请调整后重拍
portrait-sharpness = 相片模糊，请保持不动重拍

## The names of the checks

check-one-face = 人脸数量
check-size = 相片尺寸
check-face-size = 面部大小
check-centred = 面部位置
check-head-upright = 头部端正
check-looks-ahead = 正视镜头
check-eyes-open = 双眼睁开
check-mouth-closed = 嘴唇闭合
check-eyes-visible = 眼睛无遮挡
check-uncovered = 面部和头部无遮挡
check-ears-visible = 双耳露出
check-background = 白色背景
check-lighting = 光线
check-sharpness = 清晰度

## The live photo (A7)

apply-live-photo = 请正视摄像头，核验本人
apply-live-photo-again = 准备好后请继续，正视摄像头重新拍照
apply-live-again = 现场相片未能通过核验，请再试一次

## The phone number (A8)

apply-phone = 请输入您的手机号码
apply-phone-wrong = 手机号码有误，请输入 11 位手机号码
apply-phone-differs = 两次输入的手机号码不一致，请重新输入
apply-sms-sending = 正在发送短信验证码，请稍候
apply-sms-code = 验证码已发送至 { $phone }，请输入
apply-sms-code-wrong = 验证码错误，请重新输入
apply-sms-code-expired = 验证码已失效，请重新获取
apply-sms-unavailable = 短信暂时无法发送，手机号码将稍后核实
apply-sms-last-code = 这是最后一个验证码；如更换手机号码，须到人工窗口办理
apply-sms-no-code-left = 验证码发送次数已达上限，继续提交手机号码将转人工窗口办理

## Fingerprints (A9)

apply-right-finger = 请将右手{ $finger }放在指纹仪上
apply-left-finger = 请将左手{ $finger }放在指纹仪上
apply-no-card = 未检测到证件
apply-reader-away = 读卡设备暂时无法使用，请联系工作人员
apply-device-in-use = 设备正在为他人服务，请稍候；轮到您时，屏幕会提示您操作
apply-no-finger = 未检测到手指
finger-of-card = 已登记指纹的手指
apply-finger-again = 指纹不清晰，请擦净手指后重新按压
apply-finger-differs = 指纹与证件登记的不一致，请换用登记的手指

## Supporting documents (A10)

apply-documents = 如有户口簿等证明材料，请放在扫描区

## The signature (A11)

apply-signature = 请核对信息后在签名板上签名

## Payment (A12)

apply-payment = 应缴费用 { $amount } 元，请选择缴费方式
apply-pay-wechat = 请用微信扫描二维码支付 { $amount } 元
apply-pay-alipay = 请用支付宝扫描二维码支付 { $amount } 元
apply-pay-unionpay-card = 请插入银联卡支付 { $amount } 元
apply-pay-quickpass = 请将手机或卡靠近感应区支付 { $amount } 元
apply-pay-cash = 请持缴费通知单到人工窗口现金缴费 { $amount } 元
apply-pay-later = 费用 { $amount } 元尚未缴纳，请凭缴费通知单稍后缴费
apply-paid = 已收到缴费 { $amount } 元。
apply-pay-code-awaited = 正在获取支付二维码（{ $amount } 元），请稍候；如未能获取，可凭缴费通知单稍后缴费
apply-payment-waiting = 正在等待支付结果，请稍候
apply-payment-declined = 支付未成功，请重试或选择其他方式
apply-payment-cancelled = 支付已取消，未扣款
apply-payment-timed-out = 支付超时，未扣款，请重新选择
apply-payment-unknown = 支付结果待确认，请勿重复支付，我们将核实
apply-payment-unknown-wait = 正在核实支付结果，请稍候；您也可以选择稍后缴费，凭缴费通知单离开
apply-payment-unknown-choose = 如已扣款，请勿再次支付，可选择稍后缴费，凭缴费通知单离开；确认未扣款的，请重新选择支付方式
apply-payment-no-code = 暂时无法获取支付二维码，请选择其他支付方式，或凭缴费通知单稍后缴费
apply-payment-code-over = 支付二维码已过期，请重新选择；如您已扫码支付，请稍候
apply-free = 本次办理免费

## The end (A13, A15, A17)

apply-printing = 正在打印单据，请稍候
apply-done = 受理完成。请妥善保管领取凭证；领证时扫描凭证条码或输入公民身份号码。受理号请记下备查。
apply-done-provisional = 已预受理，待核查。请妥善保管领取凭证；领证时扫描凭证条码或输入公民身份号码。受理号请记下备查。
apply-take-papers = 请取走全部单据，领证时请携带领取凭证。
apply-take-ticket = 请取走转办单。
apply-print-failed = 单据未能全部打印，请联系工作人员
apply-papers-at-window = 单据未能全部打印，请凭转办单号 { $ticket } 到人工窗口领取，无需重新办理
apply-to-window = 请凭转办单到人工窗口继续办理，无需重新填写。窗口地址：{ $address }
apply-cancelled = 申请已取消
apply-interrupted = 设备故障，业务中断，未受理，请重新办理或联系工作人员
apply-timed-out = 操作超时，申请未提交，请重新开始
apply-not-paid = 逾期未缴费，本次申请已作废，您可以重新申请

## Notices that follow (A17, T2)

apply-notice-confirmed = 您的居民身份证申请已通过核查
apply-notice-confirmed-due = 您的居民身份证申请已通过核查。工本费尚未缴纳，请于 { $by } 前（含当日）凭缴费通知单缴费；缴费后方可制证，逾期未缴的，申请作废。
apply-notice-confirmed-unpaid = 您的居民身份证申请已通过核查。工本费尚未缴纳，请凭缴费通知单缴费；缴费后方可制证，逾期未缴的，申请作废。
apply-notice-rejected = 您的居民身份证申请未通过核查，请到受理站点的人工窗口办理，转办单号 { $ticket }
apply-notice-papers = 您的居民身份证申请已受理，单据未能在自助设备上打印，请凭转办单号 { $ticket } 到受理站点的人工窗口领取
apply-notice-payment-due = 您的居民身份证工本费尚未缴纳，请于 { $by } 前（含当日）凭缴费通知单缴费；缴费后方可制证，逾期未缴的，申请作废
apply-notice-lapsed = 您的居民身份证工本费逾期未缴，申请已作废，您可以重新申请；此后所缴费用将予退还
apply-notice-refund = 您缴纳的居民身份证工本费将原路退回

## Why somebody is sent to the window (A9, A15)

window-no-grant = 中心未能及时答复，本机不能代为核定
window-clock-not-trusted = 设备时间异常
window-provisional-limit = 中心未能及时答复，本机可预受理的名额已满
window-centre-asks = 您的情况需要人工核实
window-portrait-failed = 未能采集合格相片
window-portrait-differs = 提交的相片与登记相片不一致
window-live-differs = 人像核验未通过
window-no-live-photo = 未能拍摄现场相片
window-number-failed = 公民身份号码多次输入有误
window-phone-failed = 手机号码未能确认
window-fingers-not-captured = 指纹信息采集失败，请到户政窗口办理
window-fingers-differ = 指纹与现持证件不一致
window-device-failed = 设备故障
window-device-busy = 设备正由他人使用，等候时间已到
window-too-many-numbers = 一次办理只能查询少数几个公民身份号码
window-numbers-exhausted = 本机今日受理已满
window-review-rejected = 申领未通过审核
window-papers-not-handed-out = 您的申请已受理，但单据未能全部打印
