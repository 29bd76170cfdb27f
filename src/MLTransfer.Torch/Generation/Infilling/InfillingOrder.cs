namespace MLTransfer.Torch.Generation.Infilling;

/// <summary>In which order the masks of a text are filled.</summary>
public enum InfillingOrder
{
    /// <summary>
    /// One mask a pass: the one whose best token has the highest probability in that pass. The model then reads the text with it again.
    /// </summary>
    MostConfidentFirst,

    /// <summary>One mask a pass, the leftmost; the model reads the text with it again before the next.</summary>
    LeftToRight,

    /// <summary>All masks in one pass: fastest, but no mask knows what another one is filled with.</summary>
    AllAtOnce,
}
