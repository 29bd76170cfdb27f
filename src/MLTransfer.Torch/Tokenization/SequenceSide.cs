namespace MLTransfer.Torch.Tokenization;

/// <summary>The end of a token sequence at which tokens are cut off or padding is added.</summary>
public enum SequenceSide
{
    /// <summary>The beginning of the sequence.</summary>
    Left,

    /// <summary>The end of the sequence.</summary>
    Right,
}
