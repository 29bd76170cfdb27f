using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Memory;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.StyleGan2;

/// <summary>The generator of StyleGAN2 (arXiv 1912.04958): latent vectors z to styles w, styles to images.</summary>
/// <remarks>
/// Parameters carry the names of the authors' PyTorch release (<c>synthesis.b8.conv0.weight</c>). N: batch, R: resolution.
/// </remarks>
public sealed class StyleGan2Generator : nn.Module
{
    private readonly StyleGan2Configuration.GeneratorSizes _sizes;
    private readonly SynthesisNetwork _synthesis;

    internal StyleGan2Generator(StyleGan2Configuration.GeneratorSizes sizes, WeightSource weights)
        : base(nameof(StyleGan2Generator))
    {
        _sizes = sizes;
        Mapping = new MappingNetwork(
            weights.Scope("mapping"), sizes.LatentWidth, sizes.LabelWidth, sizes.StyleWidth, sizes.Mapping, keepsAverage: true);
        _synthesis = new SynthesisNetwork(weights.Scope("synthesis"), sizes);
        register_module("mapping", Mapping);
        register_module("synthesis", _synthesis);
    }

    /// <summary>The width of z.</summary>
    public int LatentWidth => _sizes.LatentWidth;

    /// <summary>The width of a label vector, usually one-hot; 0 where the generator takes none.</summary>
    public int LabelWidth => _sizes.LabelWidth;

    /// <summary>The width of w.</summary>
    public int StyleWidth => _sizes.StyleWidth;

    /// <summary>How many styles an image takes: one for each convolution and one more.</summary>
    public int StyleCount => _sizes.StyleCount;

    /// <summary>The width and height of images, in pixels.</summary>
    public int ImageResolution => _sizes.ImageResolution;

    /// <summary>Where the weights are.</summary>
    public Device Device => parameters().First().device;

    /// <summary>3 for RGB.</summary>
    public int ImageChannels => _sizes.ImageChannels;

    internal MappingNetwork Mapping { get; }

    /// <summary>The noise maps that belong to the layers, [R, R].</summary>
    internal IReadOnlyList<(string Name, Tensor Map)> NoiseMaps => _synthesis.NoiseMaps;

    /// <summary>The calls that use the weights; of all parts of a model together.</summary>
    internal UseCount Uses { get; set; } = new();

    /// <summary>The type that features are computed in; null for float32. Styles, images and weights stay in float32.</summary>
    internal ScalarType? ComputeType
    {
        get => _synthesis.ComputeType;
        set => _synthesis.ComputeType = value;
    }

    /// <summary>The name prefix of the synthesis block of a resolution, such as <c>synthesis.b8.</c>.</summary>
    internal static string BlockPrefix(int resolution) => $"synthesis.b{resolution}.";

    /// <summary>A generator with the same weights of its own.</summary>
    internal StyleGan2Generator Clone()
    {
        var copy = new StyleGan2Generator(_sizes, WeightSource.Initialized(ScalarType.Float32, Device));
        copy.CopyFrom(this);
        return copy;
    }

    /// <summary>Takes another generator's weights, running means included.</summary>
    internal void CopyFrom(StyleGan2Generator other)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        foreach (var (target, source) in StyleGan2Model.CheckpointTensors(this).Zip(StyleGan2Model.CheckpointTensors(other)))
            target.Value.copy_(source.Value);
    }

    /// <summary>Maps latent vectors to styles.</summary>
    /// <param name="latents">z, [N, <see cref="LatentWidth"/>], drawn from a normal distribution.</param>
    /// <param name="labels">[N, <see cref="LabelWidth"/>]; null where the generator takes none.</param>
    /// <param name="truncation">psi: how far styles keep from their mean; 1 for as far as they are, less for more typical images.</param>
    /// <param name="truncationCutoff">How many of the first styles are truncated; null for all.</param>
    /// <returns>w, [N, <see cref="StyleCount"/>, <see cref="StyleWidth"/>].</returns>
    /// <exception cref="ArgumentException">A shape is wrong, or truncation is asked of a checkpoint without <c>w_avg</c>.</exception>
    public Tensor Map(Tensor latents, Tensor? labels = null, double truncation = 1, int? truncationCutoff = null)
    {
        ArgumentNullException.ThrowIfNull(latents);
        using var hold = Hold();
        if (latents.dim() != 2 || latents.shape[1] != LatentWidth)
            throw new ArgumentException(
                $"Latent vectors have shape [{string.Join(", ", latents.shape)}]; expected [N, {LatentWidth}].", nameof(latents));
        LabelCheck.Check(labels, latents.shape[0], LabelWidth);
        ArgumentOutOfRangeException.ThrowIfNegative(truncationCutoff ?? 0, nameof(truncationCutoff));

        using var scope = NewDisposeScope();
        var w = Mapping.Forward(latents, labels).unsqueeze(1).expand(-1, StyleCount, -1);
        return Truncate(w, truncation, truncationCutoff).MoveToOuterDisposeScope();
    }

    /// <summary>Moves styles towards their mean, or away from it.</summary>
    /// <param name="styles">w, [N, <see cref="StyleCount"/>, <see cref="StyleWidth"/>].</param>
    /// <param name="truncation">psi: how far styles keep from their mean.</param>
    /// <param name="truncationCutoff">How many of the first styles are truncated; null for all.</param>
    /// <exception cref="ArgumentException">Truncation is asked of a checkpoint without <c>w_avg</c>.</exception>
    internal Tensor Truncate(Tensor styles, double truncation, int? truncationCutoff = null)
    {
        var cutoff = Math.Min(StyleCount, truncationCutoff ?? StyleCount);
        if (truncation == 1 || cutoff == 0)
            return styles.alias();
        using var scope = NewDisposeScope();
        var average = Mapping.Average
            ?? throw new ArgumentException("Truncation needs w_avg, which this checkpoint has none of.", nameof(truncation));
        var truncated = average + (styles.narrow(1, 0, cutoff) - average) * truncation;
        return (cutoff == StyleCount ? truncated : cat([truncated, styles.narrow(1, cutoff, StyleCount - cutoff)], 1))
            .MoveToOuterDisposeScope();
    }

    /// <summary>Makes images from styles. Styles of several <see cref="Map"/> results may be mixed along dimension 1.</summary>
    /// <param name="styles">w, [N, <see cref="StyleCount"/>, <see cref="StyleWidth"/>].</param>
    /// <param name="noise">The per-pixel noise.</param>
    /// <param name="random">What random noise is drawn with; libtorch's default generator where null.</param>
    /// <returns>[N, <see cref="ImageChannels"/>, R, R]: -1 is black and 1 white; values may lie beyond.</returns>
    public Tensor Synthesize(Tensor styles, NoiseMode noise = NoiseMode.Random, Generator? random = null) =>
        SynthesizeWith(styles, new NoiseSource(noise, random));

    /// <inheritdoc cref="Synthesize"/>
    internal Tensor SynthesizeWith(Tensor styles, NoiseSource noise)
    {
        ArgumentNullException.ThrowIfNull(styles);
        using var hold = Hold();
        if (styles.dim() != 3 || styles.shape[1] != StyleCount || styles.shape[2] != StyleWidth)
        {
            throw new ArgumentException(
                $"Styles have shape [{string.Join(", ", styles.shape)}]; expected [N, {StyleCount}, {StyleWidth}].", nameof(styles));
        }

        return _synthesis.Forward(styles, noise);
    }

    /// <summary><see cref="Map"/>, then <see cref="Synthesize"/>.</summary>
    /// <returns>[N, <see cref="ImageChannels"/>, R, R]: -1 is black and 1 white; values may lie beyond.</returns>
    public Tensor Generate(
        Tensor latents, Tensor? labels = null, double truncation = 1, NoiseMode noise = NoiseMode.Random, Generator? random = null)
    {
        using var hold = Hold();
        using var styles = Map(latents, labels, truncation);
        return Synthesize(styles, noise, random);
    }

    /// <summary>Begins a call that uses the weights.</summary>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    internal UseCount.Hold Hold() => Uses.Begin(GetType());

    /// <inheritdoc/>
    protected override void RegisterComponents()
    {
        // TorchSharp would register the fields once more, under their own names.
    }
}
