using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks.StyleGan2;
using MLTransfer.Torch.Training.LatentProjection;
using static TorchSharp.torch;

namespace MLTransfer;

/// <summary>
/// Arithmetic with the styles of an image generator. A latent vector is w, one style for all layers, or W+, a style for each layer one
/// after the other; <c>GenerateImages</c> draws from both. Nothing that is given is changed.
/// </summary>
/// <remarks>The first layers decide on what is coarse, such as pose, the last on colours and what is fine.</remarks>
public sealed class StyleSpace
{
    private readonly StyleGan2Model _model;

    internal StyleSpace(StyleGan2Model model)
    {
        _model = model;
        using var hold = model.Hold();
        Mean = model.Generator.Mapping.Average is { } average ? [.. average.cpu().data<float>()] : null;
    }

    /// <summary>How many layers take a style.</summary>
    public int LayerCount => _model.Generator.StyleCount;

    /// <summary>How many numbers a style has.</summary>
    public int Width => _model.Generator.StyleWidth;

    /// <summary>The mean style; null where the model keeps none.</summary>
    public IReadOnlyList<float>? Mean { get; }

    /// <summary>w of the seed of a picture, as <c>GenerateImages</c> takes it.</summary>
    /// <param name="seed">Stands for what <c>torch.randn(1, width)</c> draws after <c>torch.manual_seed(seed)</c>.</param>
    /// <param name="label">The label of a conditional model; null for others.</param>
    /// <exception cref="ArgumentException">The label has another width than the model takes.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public float[] FromSeed(long seed, IReadOnlyList<float>? label = null)
    {
        using var hold = _model.Hold();
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var generator = _model.Generator;
        var styles = generator.Map(
            SeedLatents.Create([seed], generator.LatentWidth).to(generator.Device),
            label is null ? null : tensor(label.ToArray(), [1, label.Count]).to(generator.Device));
        return NativeTensor.AsSpan<float>(styles[0, 0].cpu().contiguous()).ToArray();
    }

    /// <summary>W+ of w: its style for every layer. W+ stays what it is.</summary>
    /// <exception cref="ArgumentException">The vector has another width.</exception>
    public float[] ToLayers(IReadOnlyList<float> latent)
    {
        ArgumentNullException.ThrowIfNull(latent);
        if (latent.Count != Width && latent.Count != Width * LayerCount)
        {
            throw new ArgumentException(
                $"A latent vector has {latent.Count} values; the model takes {Width}, or {Width * LayerCount} of {LayerCount} layers.",
                nameof(latent));
        }

        return [.. Enumerable.Range(0, Width * LayerCount).Select(i => latent[i % latent.Count])];
    }

    /// <summary>Mixes styles (arXiv 1812.04948, section 3.1): some layers of a second vector, the others of the first.</summary>
    /// <param name="first">w or W+.</param>
    /// <param name="second">w or W+.</param>
    /// <param name="layersOfSecond">From 0, of <see cref="LayerCount"/>.</param>
    /// <returns>W+.</returns>
    /// <exception cref="ArgumentException">A vector has another width, or there is no such layer.</exception>
    public float[] Mix(IReadOnlyList<float> first, IReadOnlyList<float> second, IEnumerable<int> layersOfSecond)
    {
        ArgumentNullException.ThrowIfNull(layersOfSecond);
        var (mixed, other) = (ToLayers(first), ToLayers(second));
        foreach (var layer in Checked(layersOfSecond))
            other.AsSpan(layer * Width, Width).CopyTo(mixed.AsSpan(layer * Width));
        return mixed;
    }

    /// <summary>A vector on the line through two others.</summary>
    /// <param name="first">w or W+.</param>
    /// <param name="second">w or W+.</param>
    /// <param name="share">0 for the first, 1 for the second; beyond both the line goes on.</param>
    /// <returns>w where both are; else W+.</returns>
    /// <exception cref="ArgumentException">A vector has another width, or the share is not finite.</exception>
    public float[] Interpolate(IReadOnlyList<float> first, IReadOnlyList<float> second, double share)
    {
        CheckFinite(nameof(share), share);
        var (a, b) = (ToLayers(first), ToLayers(second));
        var width = first.Count == Width && second.Count == Width ? Width : a.Length;
        return [.. Enumerable.Range(0, width).Select(i => (float)(a[i] + ((double)b[i] - a[i]) * share))];
    }

    /// <summary>Moves styles towards their mean (arXiv 1812.04948, appendix B).</summary>
    /// <param name="latent">w or W+.</param>
    /// <param name="truncation">psi: 1 for as it is, 0 for the mean.</param>
    /// <param name="layers">The layers that move; null for all.</param>
    /// <returns>w where a w is given and all layers move; else W+.</returns>
    /// <exception cref="ArgumentException">The vector has another width, or there is no such layer.</exception>
    /// <exception cref="InvalidOperationException">The model keeps no mean style.</exception>
    public float[] Truncate(IReadOnlyList<float> latent, double truncation, IEnumerable<int>? layers = null)
    {
        CheckFinite(nameof(truncation), truncation);
        var mean = Mean ?? throw new InvalidOperationException("The model keeps no mean style (w_avg) that styles could move towards.");
        return Change(latent, layers, (value, i) => mean[i % Width] + ((double)value - mean[i % Width]) * truncation);
    }

    /// <summary>Goes a way along a direction.</summary>
    /// <param name="latent">w or W+.</param>
    /// <param name="direction">Learned from vectors of one of these widths.</param>
    /// <param name="distance">How far; the direction has length 1.</param>
    /// <param name="layers">The layers that move; null for all.</param>
    /// <returns>w where both are of w and all layers move; else W+.</returns>
    /// <exception cref="ArgumentException">A vector has another width, or there is no such layer.</exception>
    public float[] Move(IReadOnlyList<float> latent, LatentDirection direction, double distance, IEnumerable<int>? layers = null)
    {
        ArgumentNullException.ThrowIfNull(direction);
        CheckFinite(nameof(distance), distance);
        var way = ToLayers(direction.Vector);
        var start = direction.Vector.Count == Width ? latent : ToLayers(latent);
        return Change(start, layers, (value, i) => value + distance * way[i]);
    }

    private float[] Change(IReadOnlyList<float> latent, IEnumerable<int>? layers, Func<float, int, double> change)
    {
        var result = ToLayers(latent);
        var chosen = layers is null ? null : Checked(layers).ToHashSet();
        for (var i = 0; i < result.Length; i++)
        {
            if (chosen is null || chosen.Contains(i / Width))
                result[i] = (float)change(result[i], i);
        }

        return layers is null ? result[..latent.Count] : result;
    }

    private IEnumerable<int> Checked(IEnumerable<int> layers) => layers.Select(layer => layer >= 0 && layer < LayerCount
        ? layer : throw new ArgumentOutOfRangeException(nameof(layers), layer, $"The model has the layers 0 to {LayerCount - 1}."));

    private static void CheckFinite(string name, double value)
    {
        if (!double.IsFinite(value))
            throw new ArgumentOutOfRangeException(name, value, $"{name} must be a finite number.");
    }
}
