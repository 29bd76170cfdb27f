namespace MLTransfer.Torch.Tokenization.PreTokenizers;

/// <summary>Where a space is put before a text that does not begin with one.</summary>
internal enum PrependScheme
{
    /// <summary>Before every part of the text.</summary>
    Always,

    /// <summary>Only before what begins the text.</summary>
    First,

    /// <summary>Nowhere.</summary>
    Never,
}
