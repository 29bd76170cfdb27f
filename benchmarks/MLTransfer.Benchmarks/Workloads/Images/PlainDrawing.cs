using static TorchSharp.torch;

namespace MLTransfer.Benchmarks.Workloads.Images;

/// <summary>Pictures whose codes are drawn one after the other.</summary>
internal abstract class PlainDrawing : IDisposable
{
    private Tensor? _state; // [rows, width]

    /// <summary>The state after the last position that was read.</summary>
    protected Tensor State
    {
        get => _state!;
        set
        {
            _state?.Dispose();
            _state = value.DetachFromDisposeScope();
        }
    }

    /// <summary>[rows, codebook].</summary>
    public abstract Tensor Logits();

    /// <summary>Reads the codes at a place: [rows].</summary>
    public abstract void Read(Tensor codes, int place);

    public virtual void Dispose() => _state?.Dispose();
}
