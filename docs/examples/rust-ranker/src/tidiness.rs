//! How tidy an answer is, by its text alone: no repetition, a proper ending, closed markup.
//!
//! Small models loop ("the the the"), are cut off by the length limit, and leave code blocks open;
//! an objective that follows a likelihood can even reward that.  This score costs microseconds and
//! can be mixed with another ranker, or measure how much of its taste is tidiness.

use std::collections::HashSet;

/// Penalties, each a log-odds against an answer without the fault.
pub struct Weights {
    /// For an answer in which every n-gram is a repetition; in proportion below.
    pub repetition: f64,
    /// For an answer that stops within a sentence, or says nothing.
    pub ending: f64,
    /// For markup that is opened and not closed.
    pub markup: f64,
    /// Words of an n-gram.
    pub n: usize,
}

/// 0 for a tidy answer, below for others.
pub fn score(answer: &[u8], weights: &Weights) -> f64 {
    -(weights.repetition * repetition(answer, weights.n)
        + weights.ending * f64::from(is_cut(answer))
        + weights.markup * f64::from(is_open(answer)))
}

/// The part of the answer's n-grams of words that stood in it before, 0 to 1.  Case and
/// punctuation at the ends of a word do not count; answers shorter than n words have none.
pub fn repetition(answer: &[u8], n: usize) -> f64 {
    let text = answer.to_ascii_lowercase();
    let words: Vec<&[u8]> = text
        .split(u8::is_ascii_whitespace)
        .map(|word| trimmed(word, u8::is_ascii_punctuation))
        .filter(|word| !word.is_empty())
        .collect();
    if words.len() < n {
        return 0.0;
    }
    let distinct: HashSet<&[&[u8]]> = words.windows(n).collect();
    let count = words.len() - n + 1;
    (count - distinct.len()) as f64 / count as f64
}

/// The last visible character ends no sentence, list, quotation or block.
pub fn is_cut(answer: &[u8]) -> bool {
    let text = trimmed(answer, u8::is_ascii_whitespace);
    let closing = [
        ".", "!", "?", ":", ")", "]", "}", "\"", "'", "`", "*", "…", "”", "»", "。",
    ];
    !closing.iter().any(|end| text.ends_with(end.as_bytes()))
}

/// A fenced code block, inline code, a round or a square bracket is not closed, or closed without
/// being opened.  Brackets and back-quotes inside a fenced block are its own affair.
pub fn is_open(answer: &[u8]) -> bool {
    let mut in_block = false;
    let mut prose = Vec::new();
    for line in answer.split(|&byte| byte == b'\n') {
        if trimmed(line, u8::is_ascii_whitespace).starts_with(b"```") {
            in_block = !in_block;
        } else if !in_block {
            prose.extend_from_slice(line);
        }
    }
    let count = |wanted: u8| prose.iter().filter(|&&byte| byte == wanted).count();
    // "1) first" closes a bracket that nobody opened, and is fine.
    in_block || count(b'`') % 2 == 1 || count(b'(') > count(b')') || count(b'[') != count(b']')
}

fn trimmed(mut text: &[u8], drops: fn(&u8) -> bool) -> &[u8] {
    while let [first, rest @ ..] = text {
        if !drops(first) {
            break;
        }
        text = rest;
    }
    while let [rest @ .., last] = text {
        if !drops(last) {
            break;
        }
        text = rest;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEIGHTS: Weights = Weights {
        repetition: 4.0,
        ending: 1.0,
        markup: 1.0,
        n: 3,
    };

    #[test]
    fn repeated_trigrams_are_counted() {
        assert_eq!(repetition(b"a b c d e f", 3), 0.0);
        // Trigrams: abc bca cab abc bca cab abc, four of seven stood before.
        assert_eq!(repetition(b"a b c A, b c. a b c", 3), 4.0 / 7.0);
        assert_eq!(repetition(b"the the the the the", 3), 2.0 / 3.0);
        assert_eq!(repetition(b"", 3), 0.0);
    }

    #[test]
    fn an_answer_that_stops_within_a_sentence_is_cut() {
        for whole in [
            "Yes.",
            "Is it? ",
            "- one\n- two:",
            "```\nx\n```",
            "„So”",
            "好。",
        ] {
            assert!(!is_cut(whole.as_bytes()), "{whole}");
        }
        for cut in ["and then the", "", " \n", "1, 2,"] {
            assert!(is_cut(cut.as_bytes()), "{cut}");
        }
    }

    #[test]
    fn markup_has_to_be_closed() {
        for closed in ["a (b) [c]", "1) first\n2) second", "`x`", "```\nf(\n```\n"] {
            assert!(!is_open(closed.as_bytes()), "{closed}");
        }
        for open in ["a (b", "[c", "`x", "```\nf()\n", "c]"] {
            assert!(is_open(open.as_bytes()), "{open}");
        }
    }

    #[test]
    fn the_tidy_answer_scores_zero_and_faults_add_up() {
        assert_eq!(score(b"Blue is a colour.", &WEIGHTS), 0.0);
        assert_eq!(score(b"I like (the", &WEIGHTS), -2.0);
        assert!(score(&[0xFF, 0xFE, b' ', 0x80], &WEIGHTS) == -1.0); // not UTF-8: only cut
    }
}
