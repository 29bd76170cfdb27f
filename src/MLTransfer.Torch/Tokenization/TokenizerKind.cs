namespace MLTransfer.Torch.Tokenization;

/// <summary>The kinds of tokenizers that <see cref="TextTokenizer.Train"/> makes.</summary>
public enum TokenizerKind
{
    /// <summary>
    /// Byte-pair encoding (Sennrich et al., arXiv 1508.07909) over the bytes of GPT-2's words: no text is unknown, and decoding gives it
    /// back as it was.
    /// </summary>
    ByteLevelBytePairs,

    /// <summary>A unigram language model (Kudo, arXiv 1804.10959) over words that begin with '▁', as in SentencePiece, T5 and
    /// ALBERT.</summary>
    Unigram,

    /// <summary>WordPiece of BERT: byte pairs of characters, of which those within a word are marked.</summary>
    WordPiece,

    /// <summary>The most frequent words as they are.</summary>
    WordLevel,
}
