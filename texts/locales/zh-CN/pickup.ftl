### Pickup of a finished card, and what every kiosk shows.

## Why a request was refused

refusal-not-a-kiosk = 本设备不能办理业务
refusal-expired = 操作超时，请重新开始
refusal-out-of-service = 本站暂停服务
refusal-machine-blocked = 设备故障，请联系工作人员
refusal-machine-busy = 设备正在使用，请稍候
refusal-device-offline = 设备离线，请联系工作人员
refusal-no-applications = 本设备不办理申领业务
refusal-out-of-step = 请按当前页面操作
refusal-number-invalid = 公民身份号码有误，请核对后重新输入
refusal-phone-invalid = 手机号码有误，请重新输入
refusal-phones-differ = 两次输入的手机号码不一致，请重新输入
refusal-code-wrong = 验证码有误，请重新输入
refusal-code-expired = 验证码已失效，请重新获取
refusal-blob-missing = 图像未收到，请重试
refusal-picture-unusable = 图片须为 JPEG 或 PNG 格式（相片不超过 512 KB），请重新提供
refusal-picture-damaged = 图片不完整，或边长超过 2000 像素，请重新提供
refusal-not-a-choice = 请从列表中选择
refusal-not-offered = 当前步骤不支持此操作
refusal-documents-full = 材料数量已达上限
refusal-no-record = 未查询到您的证件，请到人工窗口
refusal-not-yet-arrived = 您的证件尚未到达，请等候通知
refusal-held = 您的证件需到人工窗口领取
refusal-already-collected = 您的证件已被领取。如非本人领取，请立即联系工作人员。
refusal-other-machine = 您的证件在另一台设备，请到该设备领取
refusal-not-eligible = 您的证件不在自助领取范围内，请到人工窗口
refusal-no-such-session = 该业务已结束或不存在，请重新开始
refusal-papers-gone = 单据无法再次打印，请联系工作人员
refusal-session-open = 业务尚未结束
refusal-not-serving = 设备当前没有业务，内容未保存
refusal-too-late = 证件正在送出，无法取消
refusal-operator-unknown = 操作员或密码不正确
refusal-operator-locked = 密码错误次数过多，请稍后再试
refusal-manifest-unreadable = 清单不存在或无法读取
refusal-batch-known = 该批次已登记
refusal-batch-unknown = 没有该批次或已关闭
refusal-card-unknown = 没有该证件的记录
refusal-card-elsewhere = 该证件不在此处
refusal-slot-unusable = 该存证位不可用
refusal-nothing-to-resolve = 没有需要处理的故障
refusal-maintenance = 设备维护中，请使用其他设备或到人工窗口
refusal-device-contradicted = 设备需要核查，请联系工作人员
refusal-target-unknown = 没有这台设备
refusal-already-so = 已是该状态，未作更改
refusal-nothing-to-accept = 该设备没有需要确认的内容
refusal-not-as-configured = 与配置不符，请先修改配置
refusal-ticket-unknown = 没有这张转办单
refusal-ticket-closed = 转办单已办结，未作更改
refusal-message-id-reused = 消息编号重复
refusal-unreadable = 消息无法读取
refusal-unknown = 未知的请求

## What a kiosk shows

prompt-idle = 请扫描领取凭证上的条码，或输入公民身份号码
idle-both = 领取证件，请扫描领取凭证上的条码，或输入公民身份号码；也可在此申请换领、补领证件
idle-application = 本机暂时不能领取证件，可在此申请换领、补领证件
prompt-fetching = 正在取出您的证件并进行核验，请稍候
prompt-right-finger = 请将右手已登记指纹的手指放在指纹仪上
prompt-left-finger = 请将左手已登记指纹的手指放在指纹仪上
prompt-finger-again = 指纹未通过，请擦净手指后再试一次。
prompt-look-at-camera = 请正视摄像头
prompt-old-card = 请将旧证放在读卡器上
prompt-old-card-taken = 旧证已回收
prompt-presenting = 证件正在送出
prompt-take-card = 请取走您的证件
prompt-taking-back = 证件正在收回
prompt-operator-act = 工作人员正在操作
prompt-application = 自助申领办理中
prompt-done-act = 操作完成
prompt-done = 领取完成，谢谢
prompt-ended = 业务结束

## How a pickup ended

ended-collected = 证件已领取
ended-not-taken = 证件未取走，已收回，可重新领取
ended-cancelled = 已取消
ended-timed-out = 操作超时，请重新开始
ended-identity-failed = 指纹核验未通过，请到人工窗口
ended-card-mismatch = 证件信息不符，请到人工窗口
ended-card-unreadable = 证件无法读取，请到人工窗口
ended-no-fingerprints = 证件内无指纹信息，请到人工窗口
ended-card-missing = 未找到证件，请到人工窗口
ended-old-card-missing = 未收到旧证，请到人工窗口
ended-no-photo = 拍照失败，请到人工窗口
ended-device-failed = 设备故障，请到人工窗口
ended-interrupted = 业务中断，请重新开始

## Why a station, a machine or a kiosk is out of service

out-of-service-storage-low = 本站暂停服务：存储空间不足
out-of-service-log-in-doubt = 本站暂停服务：记录需要核查
out-of-service-maintenance = 设备维护中，请使用其他设备或到人工窗口
out-of-service = 设备暂停服务，请联系工作人员

## What a slip says

slip-pickup = 领证回执：证件已领取。此二维码供核验本记录使用。
