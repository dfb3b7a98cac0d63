// The data that every contender gets: objects of seven fields, the same in every run, with the questions about them.

export const BREEDS = ["Akita", "Beagle", "Boxer", "Collie", "Husky", "Poodle", "Pug", "Terrier"];
const CONSONANTS = "bcdfghjklmnprstvz";
const VOWELS = "aeiou";
const NAME_SYLLABLES = 6;
const NOTES_CHARACTERS = 96;

/** The class, as Realm's API declares it. */
export const Dog = {
  name: "Dog",
  primaryKey: "_id",
  properties: {
    _id: "int",
    name: "string",
    breed: "string",
    age: "int",
    weight: "double",
    notes: "string",
    ownerId: "int",
  },
};

/** Pseudo-random numbers from 0 to below 1, always the same for a seed (mulberry32). */
export function numbers(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 0x100000000;
  };
}

const pick = (from, next) => from[Math.floor(next() * from.length)];

function syllables(count, next) {
  let text = "";
  for (let at = 0; at < count; at++) text += pick(CONSONANTS, next) + pick(VOWELS, next);
  return text;
}

const nextWord = numbers(7);
const WORDS = Array.from({ length: 400 }, () => syllables(2 + Math.floor(nextWord() * 2), nextWord));

/** One object: a name of 12 characters, notes of about 100. */
export function dog(_id, next) {
  const name = syllables(NAME_SYLLABLES, next);
  let notes = pick(WORDS, next);
  while (notes.length < NOTES_CHARACTERS) notes += ` ${pick(WORDS, next)}`;
  return {
    _id,
    name: name[0].toUpperCase() + name.slice(1),
    breed: pick(BREEDS, next),
    age: Math.floor(next() * 20),
    weight: Math.round((2 + next() * 60) * 100) / 100,
    notes,
    ownerId: Math.floor(next() * 1000),
  };
}

/** `count` objects with `_id` from `first`. */
export function dogs(count, seed = 1, first = 1) {
  const next = numbers(seed);
  return Array.from({ length: count }, (_, index) => dog(first + index, next));
}

/** `age > X AND breed == Y`, sixteen times. */
export const QUESTIONS = Array.from({ length: 16 }, (_, at) => ({ age: 13 + ((at * 3) % 5), breed: BREEDS[at % 8] }));

/** `notes CONTAINS s`, eight times. */
export const NEEDLES = Array.from({ length: 8 }, (_, at) => WORDS[40 + at * 37].slice(0, 4));

/** What a cold start is asked: one of the questions. */
export const FIRST_QUESTION = 5;

/** The live query: `breed == "Pug" AND age >= 4`, a tenth of all. */
export const LIVE = { breed: "Pug", age: 4 };
export const isLive = ({ breed, age }) => breed === LIVE.breed && age >= LIVE.age;

/** The first fifty by name, without touching the rest. */
export function first50(rows) {
  const byName = (a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
  return rows.sort(byName).slice(0, 50);
}

/** What can be compared of an answer. */
export function summary({ count, first }) {
  return { count, first: first[0]?.name, last: first.at(-1)?.name };
}

/** The right answers for `count` objects. */
export function answers(count) {
  const all = dogs(count);
  const answer = (is) => {
    const found = all.filter(is);
    return summary({ count: found.length, first: first50(found) });
  };
  return {
    questions: QUESTIONS.map(({ age, breed }) => answer((dog) => dog.age > age && dog.breed === breed)),
    needles: NEEDLES.map((needle) => answer((dog) => dog.notes.includes(needle))),
    live: all.filter(isLive).length,
  };
}
