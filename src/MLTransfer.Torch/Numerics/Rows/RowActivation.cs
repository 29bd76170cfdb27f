namespace MLTransfer.Torch.Numerics.Rows;

/// <summary>The activation functions that row kernels apply to what they have computed.</summary>
internal enum RowActivation
{
    None,

    /// <summary>The tanh form of GELU (arXiv 1606.08415).</summary>
    GeluTanh,

    /// <summary>x sigmoid(1.702 x).</summary>
    QuickGelu,

    /// <summary>x sigmoid(x).</summary>
    Silu,

    Relu,
}
