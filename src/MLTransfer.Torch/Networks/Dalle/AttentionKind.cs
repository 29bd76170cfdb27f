namespace MLTransfer.Torch.Networks.Dalle;

/// <summary>What an image position sees of the picture before it, in the order of writing; all of them see themselves and the whole
/// text.</summary>
internal enum AttentionKind
{
    /// <summary>All.</summary>
    Full,

    /// <summary>Its row.</summary>
    AxialRow,

    /// <summary>Its column.</summary>
    AxialColumn,

    /// <summary>The rectangle of <see cref="AttentionPattern.KernelSize"/> rows and columns that ends with it.</summary>
    ConvolutionLike,
}
