using MLTransfer.Torch.Layers;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.StyleGan2;

/// <summary>The fully connected network from a latent vector, a label or both to a style (arXiv 1812.04948, section 2).</summary>
internal sealed class MappingNetwork : NamedModule
{
    private const double Epsilon = 1e-8;

    private readonly EqualizedLinear? _embedding;
    private readonly List<EqualizedLinear> _layers = [];

    /// <param name="weights">The network's scope.</param>
    /// <param name="latentWidth">0 where there is only a label.</param>
    /// <param name="labelWidth">0 where there is only a latent vector.</param>
    /// <param name="outputWidth">The width of w.</param>
    /// <param name="sizes">Of the layers between.</param>
    /// <param name="keepsAverage">Whether the network keeps a running mean of w.</param>
    public MappingNetwork(
        WeightScope weights, int latentWidth, int labelWidth, int outputWidth, StyleGan2Configuration.MappingSizes sizes, bool keepsAverage)
        : base(nameof(MappingNetwork))
    {
        var embeddingWidth = labelWidth > 0 ? sizes.EmbeddingWidth ?? outputWidth : 0;
        if (labelWidth > 0)
        {
            _embedding = new EqualizedLinear(weights.Scope("embed"), labelWidth, embeddingWidth);
            register_module("embed", _embedding);
        }

        var width = latentWidth + embeddingWidth;
        for (var index = 0; index < sizes.LayerCount; index++)
        {
            var next = index == sizes.LayerCount - 1 ? outputWidth : sizes.LayerWidth ?? outputWidth;
            var layer = new EqualizedLinear(
                weights.Scope($"fc{index}"), width, next, activates: true, learningRateMultiplier: sizes.LearningRateMultiplier);
            _layers.Add(layer);
            register_module($"fc{index}", layer);
            width = next;
        }

        AverageDecay = sizes.AverageDecay;
        if (keepsAverage && sizes.AverageDecay is not null)
            Average = this.TakeBuffer(weights, "w_avg", Initialization.Zeros, outputWidth);
    }

    /// <summary>The running mean of w, [width], which truncation pulls towards; null where the checkpoint keeps none.</summary>
    public Tensor? Average { get; }

    /// <summary>How much of <see cref="Average"/> stays in an update.</summary>
    public double? AverageDecay { get; }

    /// <summary>z [N, width] or labels [N, width] or both to w [N, width].</summary>
    public Tensor Forward(Tensor? latents, Tensor? labels)
    {
        using var scope = NewDisposeScope();
        Tensor?[] parts = [latents is null ? null : Normalize(latents), _embedding is null ? null : Normalize(_embedding.Forward(labels!))];
        var present = parts.OfType<Tensor>().ToList();
        var hidden = present.Count == 1 ? present[0] : cat(present, 1);
        foreach (var layer in _layers)
            hidden = layer.Forward(hidden);
        return hidden.MoveToOuterDisposeScope();
    }

    /// <summary>Moves the running mean towards a batch's mean of w [width].</summary>
    public void UpdateAverage(Tensor mean)
    {
        if (Average is null)
            return;
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        Average.mul_(AverageDecay!.Value).add_(mean, alpha: 1 - AverageDecay.Value);
    }

    /// <summary>Scales each row to a mean square of 1.</summary>
    private static Tensor Normalize(Tensor rows) => rows * (rows.square().mean([1], keepdim: true) + Epsilon).rsqrt();
}
