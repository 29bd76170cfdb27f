namespace MLTransfer.Torch.Numerics.Rows;

/// <summary>Where the outputs of a convolution go: all are [T, outputs], and null where they are not wanted.</summary>
internal unsafe struct WinogradTarget
{
    /// <summary>Is added.</summary>
    public float* Addend;

    /// <summary>Is added too.</summary>
    public float* SecondAddend;

    /// <summary>Takes the outputs as they are; may be an addend.</summary>
    public float* Plain;

    /// <summary>Takes what is left of them by a leaky rectifier.</summary>
    public float* Activated;

    /// <summary>Of the rectifier.</summary>
    public float Slope;
}
