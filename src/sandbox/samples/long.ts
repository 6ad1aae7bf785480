import type { Draft } from './draft.ts';

/**
 * Long interviews are put together from what one person could say about one thing after another: the words stay those
 * of a conversation, and the file stays small. Nothing here is random.
 */
const TASKS = [
  'the shift handover',
  'the damage report',
  'the morning headcount',
  'the fuel log',
  'the visitor list',
  'the overtime sheet',
  'the cold room check',
  'the returns shelf',
  'the dock schedule',
  'the pallet count',
  'the customs folder',
  'the cleaning rota',
  'the forklift licences',
  'the key cabinet',
  'the night phone',
  'the seal numbers',
  'the accident book',
  'the weekend plan',
];
const BEFORE = [
  'It lived on a clipboard by the door, and the pen was always gone.',
  'Two people kept their own version, and on Fridays we compared them out loud.',
  'I would take a photo of it and send the photo to myself, which felt modern at the time.',
  'Nobody owned it. It was done by whoever was in trouble that week.',
  'There was a file with the word final in its name three times.',
];
const NOW = [
  'Now it opens already filled in from the shift before, and I only correct what is wrong.',
  'Now I see who touched it and when, and that ended an argument that was older than my marriage.',
  'Now it is done before the coffee is, and I find myself checking it twice because I cannot believe it.',
  'Now the new people do it on their first day, and they do it better than I do.',
  'Now it nags me politely at six, and I have learned to be grateful for the nagging.',
];
const RUB = [
  'What still rubs is the search: I type half a name and it wants the whole one.',
  'What still rubs is the small print on the tablet, because my eyes are fifty eight years old.',
  'What still rubs is that it forgets my filter when I go to lunch.',
  'What still rubs is printing, and yes, we still print it, the inspector has a stamp and he loves that stamp.',
  'What still rubs is the sound it makes, the whole hall looks up.',
  'What still rubs is when two of us save in the same second and it asks me which one I meant.',
  'What still rubs is the one screen that is in another language for no reason that anybody could tell me.',
];
const TIME = [
  'ten minutes',
  'half an hour',
  'most of a morning',
  'five minutes, but five bad ones',
  'a whole quiet hour',
];
const ASK = [
  'Let us talk about TASK. How was it done before?',
  'And TASK, what was that like?',
  'You also mentioned TASK. What changed there?',
  'Could you take me through TASK?',
];

/** `list[index]`, round and round. */
function pick(list: readonly string[], index: number): string {
  return list[index % list.length] ?? '';
}

function warehouseTalk(): string {
  const lines = [
    '? Thank you for giving us a whole afternoon. You said that you want to go through every list of your warehouse. Shall we?',
    '! We shall. I have been here for thirty one years, and I brought the clipboards, so that you can see the coffee on them.',
  ];
  TASKS.forEach((task, index) => {
    lines.push(
      `? ${pick(ASK, index).replace('TASK', task)}`,
      `! Ah, ${task}. ${pick(BEFORE, index)} It cost us ${pick(TIME, index)} a day, and nobody ever thanked you for it.`,
      `? And with Harbor?`,
      `! ${pick(NOW, index + 2)} With ${task} that matters more than it sounds, because everything behind it waits for it. When it is late, the trucks are late, and when the trucks are late I hear about it from people in suits.`,
      `? Is there anything about ${task} that is worse than before?`,
      `! ${pick(RUB, index)} On a calm day I do not notice, on a day with six trucks at the gate I say words that I will not repeat here. If you asked the others about ${task} they would tell you the same, only louder, and Marek would draw you a picture of it.`,
      `? What would you try first to make that better?`,
      `! Come and stand here for one day. Not a call, a day, number ${index + 1} of the list that I would give you. Bring good shoes, stand by the gate while we do ${task}, and you will see it before lunch.`,
    );
  });
  lines.push(
    '? We have been through all of your lists. What is left to say?',
    '! That I was against it. Write that down, please. I was the loudest one against it, and last week I shouted at a man for using a clipboard.',
  );
  return lines.join('\n');
}

const DIARY_MOODS = ['fine', 'tired', 'good', 'busy', 'calm', 'late', 'cold', 'lucky'];
const DIARY_STEPS = [
  'looked at two shops',
  'put a lamp in the cart',
  'compared the delivery days',
  'paid for the lamp',
  'waited for the mail',
  'sent one thing back',
];
const DIARY_NOTES = [
  'The button was where my thumb is.',
  'It asked for my birthday, and I wondered why a lamp needs to know.',
  'The price changed on the last screen by four euros, which is how you lose me.',
  'I forgot the password and it was kind about it.',
  'The map showed the parcel in a river.',
  'My sister looked over my shoulder and said that I should use the other card.',
  'Nothing to complain about, which I find suspicious.',
];

function diaryTalk(): string {
  const lines = [
    '? Welcome to your shopping diary! I will ask you a short question a few times a day, for three weeks.',
    '! Okay! I talk a lot, be warned.',
  ];
  for (let entry = 0; entry < 80; entry++) {
    const day = Math.floor(entry / 4) + 1;
    const part = pick(['morning', 'noon', 'afternoon', 'evening'], entry);
    lines.push(
      `? Day ${day}, ${part}. How are you, and what did you do?`,
      `! ${pick(DIARY_MOODS, entry * 3)}, thanks. I ${pick(DIARY_STEPS, entry + day)} on the phone.`,
      `? What did you notice?`,
      `! ${pick(DIARY_NOTES, entry * 2 + day)}`,
    );
  }
  lines.push(
    '? That was the last day. What stays with you after three weeks?',
    '! That I buy when I am tired, so the tired screen has to be the honest one.',
  );
  return lines.join('\n');
}

export const long: Draft[] = [
  {
    study: 'onboarding',
    vid: 'vid_5EK8UO',
    seconds: 4310,
    metadata: { plan: 'enterprise', company: 'Wolny Magazyny', role: 'Warehouse foreman', seats: 130, country: 'PL' },
    talk: warehouseTalk(),
  },
  {
    study: 'checkout',
    vid: 'vid_DIARY3',
    seconds: 7260,
    recording: false,
    metadata: { plan: 'free', device: 'Pixel 8a', role: 'Diary participant', country: 'NL' },
    talk: diaryTalk(),
  },
];
