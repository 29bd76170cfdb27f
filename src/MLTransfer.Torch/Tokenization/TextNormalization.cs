namespace MLTransfer.Torch.Tokenization;

/// <summary>What a trained tokenizer does to text first, before case and accents.</summary>
public enum TextNormalization
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Unicode's form C: a letter and its accents become one character where there is one.</summary>
    Nfc,

    /// <summary>Unicode's form KC: as C, and compatible characters (ligatures, full width) become the plain ones.</summary>
    Nfkc,

    /// <summary>BERT's: control characters go, all white space is spaces, and Chinese characters are words of their own.</summary>
    Bert,

    /// <summary>
    /// That of SentencePiece in Hugging Face's tokenizers: control characters go, form KC, and several spaces become one.
    /// </summary>
    SentencePiece,
}
