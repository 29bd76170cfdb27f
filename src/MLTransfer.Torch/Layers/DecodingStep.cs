using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Numerics.Rows;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Layers;

/// <summary>
/// One new position of each of a few sequences on the CPU. Layers compute it over plain float32 rows [rows, width]: what libtorch's calls
/// cost is more than what most of them do here, and their products do not read weights as fast as memory gives them.
/// </summary>
/// <param name="Cache">The past key values.</param>
/// <param name="Starts">For each row the first position that it may see.</param>
/// <param name="Threads">The most threads that kernels use.</param>
internal sealed record DecodingStep(KeyValueCache Cache, int[] Starts, int Threads)
{
    /// <summary>Whether libtorch computes products with weights, in place of the row kernels.</summary>
    public bool UsesLibtorch { get; init; }

    /// <summary>The number of sequences.</summary>
    public int Rows => Starts.Length;

    /// <summary>A step where the kernels can take it, or null.</summary>
    /// <param name="weights">The model's table of tokens; null where it is quantized.</param>
    /// <param name="inputIds">[batch, new positions] or [batch, streams, new positions].</param>
    /// <param name="padding">[batch, past + new], 0 for padding, or null.</param>
    /// <param name="cache">The past key values, or null.</param>
    public static DecodingStep? Create(Tensor? weights, Tensor inputIds, Tensor? padding, KeyValueCache? cache)
    {
        if (cache is null || inputIds.size(-1) != 1 || inputIds.size(0) is 0 or > RowProduct.MaximumRows
            || is_grad_enabled() || (weights is not null && !RowMatrix.Supports(weights)) || !cache.HasRowKernels)
        {
            return null;
        }

        var starts = new int[(int)inputIds.size(0)];
        return padding is null || FindStarts(padding, starts, cache.Length) ? new DecodingStep(cache, starts, get_num_threads()) : null;
    }

    /// <summary>Finds where rows begin; false where something else than their beginning is masked.</summary>
    private static bool FindStarts(Tensor padding, int[] starts, int past)
    {
        using var scope = NewDisposeScope();
        var mask = NativeTensor.AsSpan<bool>(padding.to(ScalarType.Bool).to(CPU).contiguous());
        for (var row = 0; row < starts.Length; row++)
        {
            var seen = mask.Slice(row * (past + 1), past); // and a position always sees itself
            starts[row] = seen.IndexOf(true) is var first and >= 0 ? first : past;
            if (seen[starts[row]..].Contains(false))
                return false;
        }

        return true;
    }
}
