namespace MLTransfer.Torch.Layers;

/// <summary>What computes the products of a decoding step, of one new token for each of a few sequences, on the CPU.</summary>
public enum DecodingKernels
{
    /// <summary>
    /// <see cref="Rows"/>, unless <see cref="Libtorch"/> is measured to be clearly faster on the network's own matrices: at its first step
    /// of one sequence and at its first of several, once a process for each kind of matrix. Small networks are not worth it.
    /// </summary>
    Auto,

    /// <summary>
    /// This library's kernels, which read weights as fast as memory gives them. Neither other sequences nor the number of threads change a
    /// bit of what they compute.
    /// </summary>
    Rows,

    /// <summary>libtorch's products; what they give for a sequence may differ in the last bits with the number of sequences.</summary>
    Libtorch,
}
