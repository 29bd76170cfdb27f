namespace MLTransfer.Torch.Tokenization.Models;

/// <summary>What a byte-pair model is made of.</summary>
internal sealed record BytePairOptions
{
    public required TokenVocabulary Vocabulary { get; init; }

    /// <summary>Pairs of ids with their rank and the id of what they make.</summary>
    public required IReadOnlyList<(int Left, int Right, int Rank, int Id)> Merges { get; init; }

    /// <summary>The file that has the merges.</summary>
    public required string MergesFile { get; init; }

    /// <summary>The token for a character that the vocabulary lacks; null: such a character is dropped.</summary>
    public string? UnknownToken { get; init; }

    /// <summary>Neighbouring unknown characters are one token.</summary>
    public bool FusesUnknown { get; init; }

    /// <summary>A character that the vocabulary lacks is written in tokens such as <c>&lt;0xE2&gt;</c>, where all are there.</summary>
    public bool FallsBackToBytes { get; init; }

    /// <summary>A word that is a token as a whole is that token, whatever the merges make of it.</summary>
    public bool IgnoresMerges { get; init; }

    /// <summary>What symbols begin with that go on within a word.</summary>
    public string ContinuingPrefix { get; init; } = "";

    /// <summary>What the last symbol of a word ends with.</summary>
    public string EndSuffix { get; init; } = "";

    /// <summary>
    /// Words come as they are, and the model reads their bytes by <see cref="ByteLevelAlphabet"/>; else a stage before wrote them so.
    /// </summary>
    public bool ReadsBytes { get; init; }
}
