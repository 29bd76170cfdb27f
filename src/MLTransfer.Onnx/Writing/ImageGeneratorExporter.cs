using System.Globalization;
using MLTransfer.Onnx.Checking;
using MLTransfer.Torch.Networks.StyleGan2;
using Microsoft.ML.OnnxRuntime;
using static TorchSharp.torch;

namespace MLTransfer.Onnx.Writing;

/// <summary>Writes image generators as ONNX files that ONNX Runtime and ML.NET's <c>ApplyOnnxModel</c> run.</summary>
/// <remarks>
/// Inputs, all float32: <c>z</c> [batch, latent width], drawn from a normal distribution; <c>labels</c> [batch, label width] where the
/// generator takes them; <c>psi</c>
/// [batch, 1], the truncation of each image, 1 for none (left out where the checkpoint has no <c>w_avg</c>). The output is <c>image</c>
/// [batch, channels, height, width]: -1 is black and 1 white, values may lie beyond. The file has opset 18 and standard operators alone.
/// </remarks>
public static class ImageGeneratorExporter
{
    /// <summary>What rounding explains; a wrong graph is far beyond.</summary>
    private const double Bound = 1e-3;

    /// <summary>Writes a generator and compares its images in ONNX Runtime with the engine's before the file gets its name.</summary>
    /// <param name="model">The model; its discriminator is left out.</param>
    /// <param name="path">The file, which is replaced where there is one.</param>
    /// <param name="noise">The noise maps of the checkpoint, or none.</param>
    /// <returns>The largest difference of a pixel from the engine's, where black and white are 2 apart.</returns>
    /// <exception cref="ArgumentException"><paramref name="noise"/> is random: a graph that gives other images every time could not be
    /// checked.</exception>
    /// <exception cref="IOException">The file cannot be written, for example because the disk is full.</exception>
    /// <exception cref="InvalidOperationException">ONNX Runtime does not open the file, or computes other images than the
    /// engine.</exception>
    public static double Export(StyleGan2Model model, string path, NoiseMode noise = NoiseMode.Constant)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        using var hold = model.Hold();
        if (noise is not (NoiseMode.Constant or NoiseMode.None))
            throw new ArgumentException($"{nameof(noise)} is {noise}; expected {NoiseMode.Constant} or {NoiseMode.None}.", nameof(noise));
        return OnnxFile.Write(
            path, StyleGan2Graph.Build(model, noise), "generator", session => Compare(session, model.Generator, noise));
    }

    private static double Compare(InferenceSession session, StyleGan2Generator generator, NoiseMode noise)
    {
        const double Psi = 0.7;
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        // Any numbers do: sines of two rows.
        var latents = Waves(generator.LatentWidth);
        var labels = generator.LabelWidth == 0 ? null : Waves(generator.LabelWidth);
        var inputs = new List<(string Name, Tensor Value)> { ("z", latents) };
        if (labels is not null)
            inputs.Add(("labels", labels));
        var truncates = session.InputNames.Contains("psi");
        if (truncates)
            inputs.Add(("psi", full([2, 1], Psi, ScalarType.Float32)));

        var expected = generator.Generate(latents.to(generator.Device), labels?.to(generator.Device), truncates ? Psi : 1, noise).cpu();
        var difference = session.LargestDifference(inputs, "image", expected);
        return difference <= Bound // NaN is not
            ? difference
            : throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture,
                $"The exported generator computes other images than the engine: a pixel differs by {difference:0.000e+0}, "
                + $"at most {Bound:0.0e+0} was expected."));
    }

    private static Tensor Waves(long width) => arange(2 * width, ScalarType.Float32).mul(1.7).add(0.3).sin().mul(1.4).view(2, width);
}
