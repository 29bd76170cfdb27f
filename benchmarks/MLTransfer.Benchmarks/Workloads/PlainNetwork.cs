using TorchSharp;
using static TorchSharp.torch;

namespace MLTransfer.Benchmarks.Workloads;

/// <summary>A decoder written with TorchSharp's own modules, as its users write models.</summary>
internal abstract class PlainNetwork(string name) : nn.Module<Tensor, Tensor>(name)
{
    /// <summary>Makes a network with the weights of a model.</summary>
    public static PlainNetwork Load(BenchmarkedModel model, ScalarType dataType = ScalarType.Float32)
    {
        PlainNetwork plain;
        using (var source = model.Load())
            plain = $"{source.Configuration["model_type"]}" == "gpt2" ? new PlainGpt2(source) : new PlainLlama(source);
        return plain.to(dataType);
    }

    /// <summary>[batch, length] token ids to logits [batch, length, vocabulary].</summary>
    public override Tensor forward(Tensor ids) => Logits(HiddenStates(ids, caches: null, past: 0));

    /// <summary>Reads new tokens after those in the caches and gives the logits of the last position: [batch, vocabulary].</summary>
    public Tensor ReadOn(Tensor ids, IReadOnlyList<PlainKeyValueCache> caches, long past)
    {
        using var scope = NewDisposeScope();
        return Logits(HiddenStates(ids, caches, past).select(1, -1)).MoveToOuterDisposeScope();
    }

    /// <summary>Freezes all weights and puts adapters beside the layers that a family's default names.</summary>
    public void Adapt(int rank)
    {
        foreach (var parameter in parameters())
            parameter.requires_grad_(false);
        foreach (var layer in AdaptedLayers)
            layer.Adapt(rank);
    }

    public abstract PlainKeyValueCache[] CreateCaches(long batch, long capacity);

    protected abstract IEnumerable<PlainLinear> AdaptedLayers { get; }

    protected abstract Tensor HiddenStates(Tensor ids, IReadOnlyList<PlainKeyValueCache>? caches, long past);

    protected abstract Tensor Logits(Tensor hidden);
}
