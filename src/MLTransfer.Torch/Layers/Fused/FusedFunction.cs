using static TorchSharp.torch;

namespace MLTransfer.Torch.Layers.Fused;

/// <summary>An operation of several of libtorch's as one, with its gradient, which holds no memory longer than libtorch's own
/// would.</summary>
/// <remarks>
/// TorchSharp leaves tensors that pass between libtorch and a function to the garbage collector, which knows nothing of their size.
/// </remarks>
/// <typeparam name="TSelf">The function.</typeparam>
internal abstract class FusedFunction<TSelf> : autograd.SingleTensorFunction<TSelf>
    where TSelf : FusedFunction<TSelf>, new()
{
    /// <summary>What the last call on this thread gave to libtorch, which has references of its own by the next call.</summary>
    [ThreadStatic]
    private static List<Tensor?>? t_given;

    /// <inheritdoc/>
    public sealed override string Name => typeof(TSelf).Name;

    /// <inheritdoc/>
    public sealed override List<Tensor> backward(autograd.AutogradContext context, Tensor gradient)
    {
        Free(t_given);
        var saved = context.get_saved_variables();
        using (gradient)
        using (var plain = gradient.contiguous())
            t_given = Gradients(context, saved, plain);
        Free(saved!);
        context.Dispose();
        return t_given!;
    }

    /// <summary>The gradients of the arguments, null for those that are no tensors.</summary>
    /// <param name="context">Has what the forward pass saved beside tensors.</param>
    /// <param name="saved">The tensors that it saved.</param>
    /// <param name="gradient">That of the result, contiguous.</param>
    protected abstract List<Tensor?> Gradients(autograd.AutogradContext context, IReadOnlyList<Tensor> saved, Tensor gradient);

    private static void Free(List<Tensor?>? tensors)
    {
        foreach (var tensor in tensors ?? [])
            tensor?.Dispose();
    }
}
