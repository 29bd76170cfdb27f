namespace MLTransfer.Torch.Numerics.Rows;

/// <summary>The activation functions that row kernels apply to what they have computed.</summary>
internal enum RowActivation
{
    None,

    /// <summary>The tanh form of GELU (arXiv 1606.08415).</summary>
    GeluTanh,

    /// <summary>GELU itself, x times the probability that a standard normal variable is less (arXiv 1606.08415).</summary>
    Gelu,

    /// <summary>x sigmoid(1.702 x).</summary>
    QuickGelu,

    /// <summary>x sigmoid(x).</summary>
    Silu,

    Relu,

    /// <summary>max(x, 0)^2 (arXiv 2109.08668).</summary>
    SquaredRelu,

    Tanh,

    Sigmoid,
}
