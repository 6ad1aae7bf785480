import type { Draft } from './draft.ts';

export const pricing: Draft[] = [
  {
    study: 'pricing',
    vid: 'vid_4CW8RD',
    seconds: 1391,
    metadata: {
      plan: 'enterprise',
      company: 'Brightwater Utilities',
      role: 'Procurement manager',
      seats: 1200,
      country: 'GB',
    },
    talk: `
? Thank you for joining. Could you describe how a renewal like Harbor's is decided at your company?
! It starts with me and a column of numbers, and it ends with a committee that meets on the second Thursday. In between I have to explain every number to somebody who has never seen the product.
? Which number was hardest to explain this year?
! The per seat one. We have twelve hundred names in the directory, but in any month about four hundred of them open Harbor. So the committee asks me why we are buying eight hundred chairs for an empty room.
? How did you answer them?
! I said that the chairs are there when the storm comes. In February we had the floods, and for nine days every one of those twelve hundred people was in there. But that is a poem, it is not a business case.
? What would a business case look like?
! Let me pay for a floor of four hundred and be billed for the storm when there is one. I would sign three years for that tomorrow, and I am known in this building for not signing things tomorrow.
? You compared Harbor with two other products. What stood out in how they charge?
! One was cheaper and wanted money for every report that we export, which is a tax on doing my job. The other had a price that I could only see after two calls, and by the second call I had taken against the whole company.
? And where did Harbor's own page lose you?
! The word "contact". I counted it five times. I am a grown woman with a budget, so show me a number, even a wrong one, and I will argue with it.
? If nothing changed by the next renewal, what would happen?
! We would stay, smaller. I would cut it to five hundred seats and let the departments fight over them. Nobody would cancel, and everybody would be a little bit angry, and in three years somebody would replace it because of that anger.
? What is the one sentence that you would like the pricing team to hear?
! Charge me for the storm, not for the chairs.
`,
  },
  {
    study: 'pricing',
    vid: 'vid_6VY3GA',
    seconds: 402,
    metadata: {
      plan: 'starter',
      company: 'Studio Mango',
      role: 'Founder',
      seats: 4,
      country: 'BR',
      referral: 'newsletter',
    },
    talk: `
? Hi! What made you choose the starter plan?
! haha okay so 😅 it was the only one where I could do the math in my head. four people, four coffees a month, done ☕☕☕☕
? What do you get out of it for four coffees?
! the calendar 🙌 clients see what we are doing and they stop texting me at 11pm. that alone is worth like ten coffees 😂
? Was there anything on the pricing page that confused you?
! yes!! the slider 🎚️ I moved it to 5 people and the price jumped from 36 to 95 and I thought I broke the site 😱 so now Bia uses my login, please don't tell anyone 🤫
? What would have felt fair for the fifth person?
! one more coffee 🤷🏽‍♀️ not a whole café 👩‍👩‍👧‍👦
? Anything else that you would like to add?
! I love you guys, fix the slider 💛
`,
  },
  {
    study: 'pricing',
    vid: 'vid_1KP9SL',
    seconds: 958,
    recording: false,
    times: false,
    metadata: {
      plan: 'enterprise',
      company: 'Atelier Roussel',
      role: 'Directrice financière',
      seats: 65,
      country: 'FR',
      crm: { account: 'ACC-20418', stage: 'renewal', owner: { team: 'EMEA', name: null } },
    },
    extra: { language: 'French' },
    talk: `
? Bonjour et merci de participer. Comment avez-vous découvert nos tarifs ?
! Par une facture, malheureusement. Mon prédécesseur avait signé, et j'ai trouvé le contrat dans un tiroir, sous un plan d'évacuation.
? Qu'avez-vous pensé en lisant ce contrat ?
! Qu'il était honnête, mais bavard. Neuf pages pour dire soixante-cinq licences et un renouvellement tacite ; je préfère une page qui ne me prend pas pour une juriste.
? Quelle partie vous a posé le plus de difficultés ?
! Le renouvellement tacite. Recevoir un rappel trois jours avant, c'est comme recevoir un parapluie à la fin de l'averse.
? Quel délai vous semblerait juste ?
! Soixante jours. C'est le temps qu'il me faut pour réunir trois personnes très occupées autour d'un café très court.
? Et la valeur du produit lui-même ?
! Là, rien à dire. Les ateliers ne se téléphonent plus pour savoir où en est une commande, et je n'ai plus de crises le vendredi à dix-sept heures. Pour cela, je paierais même un peu plus, mais ne l'écrivez pas trop gros.
`,
  },
  {
    study: 'pricing',
    vid: 'vid_3ZU7QF',
    seconds: 655,
    conversation: {},
    metadata: { plan: 'pro', company: 'Cobalt Tutors', role: 'Head of operations', seats: 31, country: 'CA' },
    talk: `
? Thanks for coming back to us. You moved from annual to monthly billing last spring. Why?
! Because summer exists. Tutoring dies in July, and I was paying for thirty one people to be on a lake.
? How did the switch go?
! The switch itself was two clicks. Finding the two clicks took me a week and one very patient person called Delphine.
? Where did you look first?
! Billing, obviously. It was under "Workspace", then "Plan", then a grey link. I had scrolled past it so often that it felt personal.
? What does the monthly price feel like now?
! Twenty percent more, and worth it, because I sleep in July. If there were a pause button I would go back to annual the same day.
`,
  },
];
