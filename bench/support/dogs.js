// The data that every contender gets: objects of seven fields, the same in every run.

export const BREEDS = ["Akita", "Beagle", "Boxer", "Collie", "Husky", "Poodle", "Pug", "Terrier"];
const CONSONANTS = "bcdfghjklmnprstvz";
const VOWELS = "aeiou";
const NAME_SYLLABLES = 6;
const NOTES_CHARACTERS = 96;
const WORDS = 400;

/** Pseudo-random numbers from 0 to below 1, always the same for a seed (xorshift32). */
export function numbers(seed) {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 0x100000000;
  };
}

/** `count` objects with `_id` from 1. */
export function dogs(count, seed = 1) {
  const next = numbers(seed * 7919);
  const pick = (from) => from[Math.floor(next() * from.length)];
  const syllables = (n) => Array.from({ length: n }, () => pick(CONSONANTS) + pick(VOWELS)).join("");
  const words = Array.from({ length: WORDS }, () => syllables(2 + Math.floor(next() * 2)));
  return Array.from({ length: count }, (_, index) => {
    const name = syllables(NAME_SYLLABLES);
    let notes = pick(words);
    while (notes.length < NOTES_CHARACTERS) notes += ` ${pick(words)}`;
    return {
      _id: index + 1,
      name: name[0].toUpperCase() + name.slice(1),
      breed: pick(BREEDS),
      age: Math.floor(next() * 20),
      weight: Math.round(200 + next() * 6000) / 100,
      notes,
      ownerId: Math.floor(next() * 1000),
    };
  });
}

/** The question that a cold start has to answer, and its answer. */
export const QUESTION = { breed: "Pug", age: 12 };

export function answerOf(all) {
  return all.filter(({ breed, age }) => breed === QUESTION.breed && age > QUESTION.age).length;
}
