"""Writes tokenizers and what Hugging Face `tokenizers` (and `sentencepiece`) make of random texts.

    tokenizer_fuzz.py FOLDER [COUNT [SEED [SHARE [TOKENIZER.json…]]]]

FOLDER gets texts.jsonl ({"text": …} a line), for every tokenizer NAME.json or NAME.model, and
NAME.expected.jsonl ({"ids", "special", "decoded"} a line, in the order of the texts; null where a
text is not asked). Every tokenizer gets one text of SHARE, each a different one in turn.
"""
import json
import os
import random
import sys

from tokenizers import AddedToken, Regex, Tokenizer
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors, trainers

folder = sys.argv[1]
count = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
share = int(sys.argv[4]) if len(sys.argv) > 4 else 1
given = sys.argv[5:]
os.makedirs(folder, exist_ok=True)
rnd = random.Random(seed)

BLOCKS = [(0x20, 0x7E)] * 6 + [
    (0x00, 0x1F), (0x7F, 0xFF), (0xA0, 0x24F), (0x250, 0x36F), (0x300, 0x36F), (0x370, 0x52F),
    (0x590, 0x6FF), (0x700, 0x8FF), (0x900, 0xDFF), (0xE00, 0x109F), (0x10A0, 0x13FF),
    (0x1680, 0x18AF), (0x1AB0, 0x1AFF), (0x1D00, 0x1FFF), (0x2000, 0x206F), (0x2070, 0x24FF),
    (0x2500, 0x2BFF), (0x2C00, 0x2E7F), (0x3000, 0x30FF), (0x3130, 0x33FF), (0x4E00, 0x9FFF),
    (0xA000, 0xABFF), (0xAC00, 0xD7A3), (0xE000, 0xE0FF), (0xF900, 0xFAFF), (0xFB00, 0xFDFF),
    (0xFE00, 0xFFFD), (0x10000, 0x103FF), (0x10400, 0x10FFF), (0x11000, 0x11FFF),
    (0x12000, 0x143FF), (0x16000, 0x16FFF), (0x1B000, 0x1B2FF), (0x1BC00, 0x1BCFF),
    (0x1CC00, 0x1D2FF), (0x1D300, 0x1DFFF), (0x1E000, 0x1E6FF), (0x1E800, 0x1E95F),
    (0x1EE00, 0x1F2FF), (0x1F300, 0x1F9FF), (0x1FA00, 0x1FBFF), (0x20000, 0x2A6DF),
    (0x2A700, 0x2FFFF), (0x30000, 0x33FFF), (0xE0000, 0xE01EF), (0xF0000, 0x10FFFF),
]
PIECES = [
    " ", "  ", "   ", "\n", "\r\n", "\t", "\u00a0", "\u3000", "\u200b", "\u200d", "\ufeff", "\u2581",
    "\u2028", "the ", "Hello", "world", "I'll", "CAN'T", "don't", "12345", "3.14", "e\u0301",
    "A\u030a\u0323", "\ufb01\u0301", "\uff21\u3099", "\u30ab\u3099", "\u1112\u1161\u11ab", "ß", "İ",
    "Σ", "ς", "ﷺ", "½", "Ⅷ", "４２", "\U0001F469\u200d\U0001F469\u200d\U0001F467", "\U0001F1EB\U0001F1F7",
    "\U0001F3F3\ufe0f\u200d\U0001F308", "\U0001F44D\U0001F3FD", "<0x41>", "<s>", "</s>", "<unk>",
    "[CLS]", "[MASK]", "[UNK]", "<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|add|>", "<tool>",
    "<strip> ", " <strip>", "word", "Norm", "norm", "NORM", "##ing", "a" * 30, "ab" * 40, "!!!", "...",
]


def scalar():
    low, high = rnd.choice(BLOCKS)
    while True:
        value = rnd.randint(low, high)
        if not 0xD800 <= value < 0xE000:
            return chr(value)


def text():
    kind = rnd.random()
    if kind < 0.3:  # one script at a time
        low, high = rnd.choice(BLOCKS)
        out = []
        for _ in range(rnd.randint(1, 40)):
            value = rnd.randint(low, high)
            out.append(" " if 0xD800 <= value < 0xE000 or rnd.random() < 0.15 else chr(value))
        return "".join(out)
    known = rnd.choice([0.1, 0.5, 0.9])
    n = rnd.randint(0, 40)
    return "".join(rnd.choice(PIECES) if rnd.random() < known else scalar() for _ in range(n))


texts = [text() for _ in range(count)]
with open(f"{folder}/texts.jsonl", "w") as f:
    for t in texts:
        f.write(json.dumps({"text": t}) + "\n")

WORDS = (
    "the of and to in is that it was for on are as with his they at be this from have or by one had "
    "not but what all were when we there can an your which their said if do will each about how up "
    "out them then she many some so these would other into has more her two like him see time could "
    "no make than first been its who now people my made over did down only way find use may water "
    "long little very after words called just where most know straße naïve café façade Übung élève "
    "Привет мир как дела 你好 世界 今天 天气 日本語 テキスト 한국어 문장 مرحبا بالعالم नमस्ते दुनिया "
    "don't I'll we've 2024 3.14 100 x=1; foo(bar) {baz} https://example.org/a?b=c _under_score"
).split()
corpus = []
crnd = random.Random(7)
for _ in range(3000):
    line = " ".join(crnd.choice(WORDS) for _ in range(crnd.randint(3, 15)))
    if crnd.random() < 0.3:
        line = line.capitalize() + crnd.choice([".", "!", "?", ",  ", "\n"])
    corpus.append(line)

EXTRA = [
    AddedToken("<|add|>", normalized=False), AddedToken("<tool>", normalized=True),
    AddedToken("<strip>", lstrip=True, rstrip=True, normalized=False),
    AddedToken("word", single_word=True, normalized=False), AddedToken("Norm", normalized=True),
]
made = {}


def finish(name, tokenizer, special):
    tokenizer.add_special_tokens(special)
    tokenizer.add_tokens(EXTRA)
    made[name] = tokenizer


def bert(name, **options):
    t = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    t.normalizer = normalizers.BertNormalizer(**options)
    t.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    t.train_from_iterator(corpus, trainers.WordPieceTrainer(vocab_size=900, special_tokens=special))
    t.decoder = decoders.WordPiece(prefix="##", cleanup=True)
    t.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    finish(name, t, special)


bert("bert_uncased")
bert("bert_cased", lowercase=False)

BYTES = ["<0x%02X>" % b for b in range(256)]
LLAMA = ["<unk>", "<s>", "</s>"] + BYTES


def pieces_bpe(name, normalizer, pre, decoder, vocab_size=1500, train_pre=None, post=True):
    t = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    t.normalizer = normalizer
    t.pre_tokenizer = train_pre or pre_tokenizers.Metaspace(prepend_scheme="always")
    t.train_from_iterator(corpus, trainers.BpeTrainer(vocab_size=vocab_size, special_tokens=LLAMA))
    data = json.loads(t.to_str())
    data["added_tokens"] = [a for a in data["added_tokens"] if a["id"] < 3]
    t = Tokenizer.from_str(json.dumps(data))
    t.pre_tokenizer = pre if pre is not None else None
    t.decoder = decoder
    if post:
        t.post_processor = processors.TemplateProcessing(
            single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 1)])
    finish(name, t, ["<unk>", "<s>", "</s>"])
    return t


def llama_decoder(strip=True):
    steps = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    return decoders.Sequence(steps + ([decoders.Strip(" ", 1, 0)] if strip else []))


mark = normalizers.Replace(" ", "▁")
t = pieces_bpe("gemma", mark, pre_tokenizers.Split(" ", "merged_with_previous"), llama_decoder(False))
pieces_bpe("llama2_legacy", normalizers.Sequence([normalizers.Prepend("▁"), mark]), None, llama_decoder())
pieces_bpe("llama2_first", None, pre_tokenizers.Metaspace(prepend_scheme="first", split=False), llama_decoder())
pieces_bpe("llama2_never", None, pre_tokenizers.Metaspace(prepend_scheme="never", split=True),
           decoders.Metaspace(prepend_scheme="never"))
pieces_bpe("phi3", normalizers.Sequence([normalizers.Prepend("▁"), mark]), None, llama_decoder())
made["phi3"].add_special_tokens(
    [AddedToken(x, rstrip=True, normalized=False, special=True) for x in ("<|endoftext|>", "<|im_end|>")])
# A vocabulary that misses bytes, so that unknown and bytes mix.
data = json.loads(made["llama2_legacy"].to_str())
for b in range(0x90, 0xC0):
    data["model"]["vocab"].pop("<0x%02X>" % b, None)
made["llama2_gaps"] = Tokenizer.from_str(json.dumps(data))


def byte_bpe(name, pattern, normalizer=None, ignore=False, first=(), prefix=False):
    t = Tokenizer(models.BPE(ignore_merges=ignore))
    t.normalizer = normalizer
    steps = [pre_tokenizers.Split(Regex(p), "isolated") for p in ([pattern] if pattern else [])]
    level = pre_tokenizers.ByteLevel(add_prefix_space=prefix, use_regex=pattern is None)
    t.pre_tokenizer = pre_tokenizers.Sequence(list(first) + steps + [level])
    t.decoder = decoders.ByteLevel()
    t.post_processor = processors.ByteLevel(trim_offsets=False)
    t.train_from_iterator(corpus, trainers.BpeTrainer(
        vocab_size=1200, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"]))
    finish(name, t, ["<|endoftext|>", "<|im_start|>", "<|im_end|>"])


WORD3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}%s| ?[^\s\p{L}\p{N}]+[\r\n]*"
         r"|\s*[\r\n]+|\s+(?!\S)|\s+")
TEKKEN = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
          r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}"
          r"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
byte_bpe("qwen", WORD3 % "", normalizers.NFC())
byte_bpe("llama3", WORD3 % "{1,3}", ignore=True)
byte_bpe("tekken", TEKKEN, ignore=True)
byte_bpe("gpt2", None, prefix=True)
byte_bpe("digits", None, normalizers.NFKC(), first=[pre_tokenizers.Digits(individual_digits=True)])
byte_bpe("classes", r"\w+|[^\w\s]+|\d{2}|\s|\p{P}+|\P{L}", normalizers.NFKD(),
         first=[pre_tokenizers.Punctuation("contiguous")])


def unigram(name, normalizer, pre, decoder, **options):
    t = Tokenizer(models.Unigram())
    t.normalizer = normalizer
    t.pre_tokenizer = pre
    t.train_from_iterator(corpus, trainers.UnigramTrainer(
        vocab_size=600, unk_token="<unk>", special_tokens=["<s>", "</s>", "<unk>"] + options.get("bytes", [])))
    data = json.loads(t.to_str())
    data["added_tokens"] = [a for a in data["added_tokens"] if a["id"] < 3]
    data["model"]["byte_fallback"] = bool(options.get("bytes"))
    t = Tokenizer.from_str(json.dumps(data))
    t.decoder = decoder
    t.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 1)])
    finish(name, t, ["<s>", "</s>", "<unk>"])


meta = pre_tokenizers.Metaspace(prepend_scheme="always")
unigram("unigram", normalizers.Sequence([
    normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " "), normalizers.Lowercase()]),
    meta, decoders.Metaspace(prepend_scheme="always"))
unigram("unigram_bytes", normalizers.Sequence([normalizers.NFD(), normalizers.StripAccents()]),
        pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), meta]),
        decoders.Sequence([decoders.ByteFallback(), decoders.Metaspace(prepend_scheme="always")]), bytes=BYTES)

t = Tokenizer(models.BPE(unk_token="<unk>", end_of_word_suffix="</w>", continuing_subword_prefix="##"))
t.normalizer = normalizers.Sequence([normalizers.Strip(), normalizers.Lowercase()])
t.pre_tokenizer = pre_tokenizers.Whitespace()
t.train_from_iterator(corpus, trainers.BpeTrainer(
    vocab_size=700, special_tokens=["<unk>"], end_of_word_suffix="</w>", continuing_subword_prefix="##"))
t.decoder = decoders.BPEDecoder(suffix="</w>")
finish("affixes", t, ["<unk>"])
t = Tokenizer(models.WordLevel(unk_token="<unk>"))
t.pre_tokenizer = pre_tokenizers.Sequence([
    pre_tokenizers.CharDelimiterSplit("|"), pre_tokenizers.Punctuation("merged_with_previous"), pre_tokenizers.WhitespaceSplit()])
t.train_from_iterator(corpus, trainers.WordLevelTrainer(vocab_size=300, special_tokens=["<unk>"]))
finish("words", t, ["<unk>"])

for name, tokenizer in made.items():
    tokenizer.save(f"{folder}/{name}.json")
for path in given:
    made[os.path.basename(path).split(".")[0]] = Tokenizer.from_file(path)
    with open(path) as source, open(f"{folder}/{os.path.basename(path).split('.')[0]}.json", "w") as copy:
        copy.write(source.read())

for turn, (name, tokenizer) in enumerate(made.items()):
    with open(f"{folder}/{name}.expected.jsonl", "w") as f:
        for i, t in enumerate(texts):
            if (i + turn) % share:
                f.write("null\n")
                continue
            ids = tokenizer.encode(t, add_special_tokens=False).ids
            row = {"ids": ids, "special": tokenizer.encode(t).ids,
                   "decoded": tokenizer.decode(ids, skip_special_tokens=False)}
            f.write(json.dumps(row) + "\n")

try:
    import sentencepiece as spm
except ImportError:
    sys.exit(0)
with open(f"{folder}/corpus.txt", "w") as f:
    f.write("\n".join(line.replace("\n", " ") for line in corpus) + "\n")
common = dict(input=f"{folder}/corpus.txt", minloglevel=2, vocab_size=600, hard_vocab_limit=False)
KINDS = {
    "sp_llama": dict(model_type="bpe", byte_fallback=True, normalization_rule_name="identity",
                     remove_extra_whitespaces=False, split_digits=True, character_coverage=0.99995),
    "sp_gemma": dict(model_type="bpe", byte_fallback=True, normalization_rule_name="identity", vocab_size=900,
                     remove_extra_whitespaces=False, add_dummy_prefix=False, split_digits=True,
                     user_defined_symbols=["<tool>", "\n", "  ", "   ", "<|add|>"]),
    "sp_bpe_nfkc": dict(model_type="bpe"),
    "sp_unigram": dict(model_type="unigram"),
    "sp_unigram_bytes": dict(model_type="unigram", byte_fallback=True, vocab_size=800,
                             normalization_rule_name="nfkc_cf", user_defined_symbols=["<tool>", "word"]),
    "sp_suffix": dict(model_type="unigram", treat_whitespace_as_suffix=True,
                      normalization_rule_name="nmt_nfkc"),
}
for turn, (name, options) in enumerate(KINDS.items()):
    spm.SentencePieceTrainer.train(model_prefix=f"{folder}/{name}", **(common | options))
    model = spm.SentencePieceProcessor(model_file=f"{folder}/{name}.model")
    with open(f"{folder}/{name}.expected.jsonl", "w") as f:
        for i, t in enumerate(texts):
            # Control symbols in the text are Spar's matter, not SentencePiece's.
            skip = (i + turn) % share or any(x in t for x in ("<s>", "</s>", "<unk>"))
            f.write("null\n" if skip else json.dumps({"ids": model.encode(t), "decoded": None}) + "\n")
