using System.Globalization;
using MLTransfer.Columns;
using MLTransfer.Torch.Generation.Images;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks.StyleGan2;
using MLTransfer.Torch.Numerics;
using Microsoft.ML.Data;
using static TorchSharp.torch;

namespace MLTransfer.Images;

/// <summary>Pictures for requests, which have no row.</summary>
internal static class PictureRequests
{
    /// <summary>The prompts of a request's pictures: the picture i is that of the i-th row of a table with the caption in each.</summary>
    /// <exception cref="ArgumentException">There is a caption, and no tokenizer.</exception>
    public static IReadOnlyList<ImagePrompt> Prompts(string? caption, int count, long seed, TextToImageKind network)
    {
        if (!string.IsNullOrEmpty(caption) && !network.HasTokenizer)
            throw new ArgumentException($"The {network.Name} has no tokenizer, so it takes no caption. Leave the prompt empty.");
        return
        [
            .. Enumerable.Range(0, count).Select(i =>
                new ImagePrompt { Text = caption, Seed = (long)SplitMix64.Mix((ulong)seed, (ulong)i, 0) }),
        ];
    }

    public static IReadOnlyList<MLImage> ToImages(IReadOnlyList<GeneratedImage> pictures) =>
        [.. pictures.Select(picture => ImagePlanes.Create(picture.Pixels, 3, picture.Side, picture.Side, ImageScaling.ZeroToOne))];

    /// <summary>The pictures of seeds that follow each other.</summary>
    /// <param name="model">The network.</param>
    /// <param name="prompt">The number of a class where the network takes labels; else nothing.</param>
    /// <param name="seeds">One a picture; the latent vector is that of <see cref="SeedLatents"/>.</param>
    /// <param name="truncation">psi.</param>
    /// <param name="noise">The per-pixel noise.</param>
    /// <param name="cancellationToken">Checked before every picture.</param>
    /// <exception cref="ArgumentException">The prompt is another one.</exception>
    public static IReadOnlyList<MLImage> Draw(
        StyleGan2Model model, string? prompt, IEnumerable<long> seeds, double truncation, NoiseMode noise,
        CancellationToken cancellationToken)
    {
        using var hold = model.Hold();
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var generator = model.Generator;
        var label = LabelOf(prompt, generator);
        var pictures = new List<MLImage>();
        foreach (var seed in seeds)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var inner = NewDisposeScope();
            var latents = SeedLatents.Create([seed], generator.LatentWidth).to(generator.Device);
            // [1, channels, height, width]: -1 is black and 1 white
            var pixels = generator.Synthesize(generator.Map(latents, label, truncation), noise).cpu().contiguous();
            pictures.Add(ImagePlanes.Create(
                NativeTensor.AsSpan<float>(pixels), generator.ImageChannels, generator.ImageResolution, generator.ImageResolution,
                ImageScaling.MinusOneToOne));
            GC.KeepAlive(pixels);
        }

        return pictures;
    }

    /// <summary>[1, classes], one of them 1; null where the network takes no labels.</summary>
    private static Tensor? LabelOf(string? prompt, StyleGan2Generator generator)
    {
        if (generator.LabelWidth == 0)
        {
            return string.IsNullOrWhiteSpace(prompt) ? null : throw new ArgumentException(
                $"The network is a StyleGAN2 without labels: it makes pictures of nothing but a seed. Leave the prompt empty; it is "
                + $"'{prompt}'.");
        }

        if (!int.TryParse(prompt, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number >= generator.LabelWidth)
        {
            throw new ArgumentException(
                $"The network is a StyleGAN2 of {generator.LabelWidth} classes: the prompt is the number of one, from 0 to "
                + $"{generator.LabelWidth - 1}; it is '{prompt}'.");
        }

        var label = new float[generator.LabelWidth];
        label[number] = 1;
        return tensor(label, [1, generator.LabelWidth], device: generator.Device);
    }
}
