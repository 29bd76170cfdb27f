using MLTransfer.Torch.Metrics;
using MLTransfer.Torch.Networks.StyleGan2;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Adversarial;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Training.Adversarial;

/// <summary>A small run: squares of one color on another, 16x16.</summary>
internal static class TinyImages
{
    public const int Steps = 6;

    public const int BatchSize = 4;

    public static ImageSet Create(int count = 10)
    {
        using var scope = NewDisposeScope();
        var pixels = zeros([count, 3, 16, 16], ScalarType.Byte);
        for (var i = 0; i < count; i++)
            pixels[i, i % 3, (2 + i % 5)..(9 + i % 5), (1 + i % 7)..(8 + i % 7)] = 255;
        return new ImageSet(pixels);
    }

    public static StyleGan2Model CreateModel()
    {
        using var scope = NewDisposeScope();
        manual_seed(11);
        return StyleGan2Model.Create(StyleGan2Model.Configure(16, channelBase: 128, channelMaximum: 16, latentWidth: 16, mappingLayers: 2));
    }

    public static AdversarialTrainingOptions Options(string? folder, bool resume = false, Precision precision = Precision.Auto) => new()
    {
        TotalImages = Steps * BatchSize,
        BatchSize = BatchSize,
        PathLengthInterval = 2,
        GradientPenaltyInterval = 3,
        AugmentationProbability = 0.3,
        AugmentationRampImages = 100,
        OutputDirectory = folder,
        CheckpointImages = folder is null ? 0 : 2 * BatchSize,
        SampleImages = folder is null ? 0 : 4 * BatchSize,
        SampleCount = 5,
        Resume = resume,
        Precision = precision,
    };

    /// <summary>All tensors of both networks as bytes.</summary>
    public static SortedDictionary<string, byte[]> Bytes(StyleGan2Model model) => new(
        ((nn.Module[])[model.Generator, model.Discriminator]).SelectMany(
            (network, index) =>
                StyleGan2Model.CheckpointTensors(network).Select(t => ($"{index}.{t.Key}", t.Value.detach().bytes.ToArray())))
        .ToDictionary(), StringComparer.Ordinal);
}
