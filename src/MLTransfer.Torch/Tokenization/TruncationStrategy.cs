namespace MLTransfer.Torch.Tokenization;

/// <summary>Which text of a pair loses tokens where both are too long together.</summary>
public enum TruncationStrategy
{
    /// <summary>The longer one, then both.</summary>
    LongestFirst,

    /// <summary>The first one only.</summary>
    OnlyFirst,

    /// <summary>The second one only.</summary>
    OnlySecond,
}
