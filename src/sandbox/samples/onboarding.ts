import type { Draft } from './draft.ts';

export const onboarding: Draft[] = [
  {
    study: 'onboarding',
    vid: 'vid_7Q2M4K',
    seconds: 1124,
    metadata: { plan: 'enterprise', company: 'Halden Freight', role: 'Operations lead', seats: 240, country: 'NO' },
    talk: `
? Hi, and thanks for making the time. To begin, could you tell me what your team was using before Harbor?
! Sure. Honestly? A spreadsheet that one man named Arne understood, and a group chat that nobody could search. Arne is retiring in March, so that was our deadline.
? That is a very concrete deadline. Walk me through your first hour after you signed up.
! I made the workspace on a Tuesday night after the kids were asleep. The first screen asked me how many depots we run, and I thought, finally somebody asks the right question first. By the time my tea was cold I had all eleven depots in there.
? What happened after the depots were in?
! Then I hit the import. I had four thousand shipments in a CSV and it told me row 212 had a date that it could not read. It told me the row. I have used software for twenty years and I could count on one hand the times it told me the row.
? How did that make you feel about the rest of the setup?
! It made me trust it. I fixed the row, it picked up where it stopped, and I went to bed. The next morning my dispatchers were already arguing about colours in the board view, which is how I knew they were using it.
? You mention dispatchers. How did they find their way in?
! Mixed. The invites went out fine, but the phone app logged people out every time the tablet slept. In a warehouse a tablet sleeps every two minutes, so two of my people went back to paper by Thursday.
? What would have kept those two people on the tablet?
! A login that lasts a shift. Eight hours. That is really all. They liked the board, they hated typing a password with gloves on.
? If you think of the whole first week, was there a moment when you were sure that you would stay?
! Friday. A driver broke down outside Drammen, and Signe moved his six stops to two other trucks by dragging them. It took her forty seconds. Before, that was half an hour on the phone and somebody crying. I wrote to our finance person that evening and told her to sign.
? And a moment when you nearly gave up?
! The permissions page. There are nineteen switches and I do not know what a third of them do. I left everything on and hoped, and that is not a sentence I want to say to our security people.
? If you could change one thing for the next team that starts, what would it be?
! Give me three roles with plain names, let me look at the nineteen switches later, and let the tablets stay logged in. Do that and you can call me for a reference any day.
? Thank you. Is there anything that I did not ask, and should have?
! Ask people who retires next. Somebody is always the spreadsheet.
`,
  },
  {
    study: 'onboarding',
    vid: 'vid_9T1ZB8',
    seconds: 74,
    recording: false,
    metadata: { plan: 'team', company: 'Plume & Pine', role: 'Florist', seats: 3, country: 'IE' },
    talk: `
? Hello, thanks for joining! How has your first week with Harbor been?
! Grand. It does what it says. I have a wedding at noon so I have to run, sorry.
? Understood! One last thing: is there anything that nearly stopped you?
! No. Well, the tour would not close on my phone. Bye!
`,
  },
  {
    study: 'onboarding',
    vid: 'vid_2HX5NE',
    seconds: 866,
    metadata: { plan: 'enterprise', company: 'Kōyō Seiki', role: '生産管理', seats: 88, country: 'JP' },
    extra: { language: 'Japanese' },
    talk: `
? 本日はお時間をいただきありがとうございます。ハーバーを使い始めたきっかけを教えてください。
! 工場が二つに増えて、ホワイトボードでは回らなくなったからです。写真を撮って送り合っていましたが、毎朝どちらが最新か分からなくなっていました。
? 最初の一週間で一番印象に残っていることは何ですか。
! 月曜の朝礼が十五分短くなりました。みんなが同じ画面を見ているので、確認のための質問がほとんど出ません。これには本当に驚きました。
? 困ったことはありましたか。
! 日付の表示です。月と日が逆になる画面がひとつあって、三月四日の納期を四月三日だと思い込みました。幸い気づきましたが、冷や汗をかきました。
? その画面はどこでしたか。
! 週次レポートのメールです。設定では日本の形式にしてあるのに、メールだけが違いました。そこさえ直れば、もう一つの工場にもすぐに広げたいです。
? 周りの方の反応はいかがでしたか。
! 六十代の職長が「これなら触れる」と言いました。その一言で導入を決めました。🙂
`,
  },
  {
    study: 'onboarding',
    vid: 'vid_TEST01',
    seconds: 41,
    mock: true,
    recording: false,
    metadata: { plan: 'enterprise', company: 'Internal', role: 'Study author' },
    talk: `
? Hi! Thanks for joining. What brought you to Harbor?
! This is a test run by the study's author, please ignore. Checking that the second question shows up.
? Great. What was the first thing that you set up?
! Second question shows up. Ending here.
`,
  },
];
