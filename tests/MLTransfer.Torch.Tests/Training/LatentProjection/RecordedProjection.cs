using System.Text.Json;
using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Metrics;
using MLTransfer.Torch.Networks.StyleGan2;
using MLTransfer.Torch.Training.LatentProjection;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Tests.Training.LatentProjection;

/// <summary>A projection of the reference, with everything that it drew.</summary>
internal sealed class RecordedProjection : IDisposable
{
    private readonly SafetensorsFile _features = Open("features.safetensors");

    public SafetensorsFile Tensors { get; } = Open("projection.safetensors");

    public JsonElement Json { get; } =
        JsonElement.Parse(File.ReadAllText(RepositoryFiles.Data("images/stylegan2-projection-tiny/projection.json")));

    public ProjectionOptions Options(LatentSpace space)
    {
        var arguments = Json.GetProperty("arguments");
        double Number(string name) => arguments.GetProperty(name).GetDouble();
        return new ProjectionOptions
        {
            Space = space,
            Steps = (int)Number("num_steps"),
            LearningRate = Number("learning_rate"),
            LearningRateRampUp = Number("learning_rate_rampup"),
            LearningRateRampDown = Number("learning_rate_rampdown"),
            NoiseFactor = Number("noise_factor"),
            NoiseRamp = Number("noise_ramp"),
            NoiseRegularizationWeight = Number("noise_regularization_weight"),
            PixelWeight = Number("pixel_weight"),
            FeatureWeight = Number("feature_weight"),
            LatentSamples = 500,
        };
    }

    /// <summary>The reference's network of features, as rows whose squared distance is the reference's.</summary>
    public DelegateFeatureExtractor Extractor() => new(images =>
    {
        using var scope = NewDisposeScope();
        var rows = new List<Tensor>();
        for (var layer = 0; layer < 3; layer++)
        {
            images = layer == 0 ? images : F.avg_pool2d(images, 2);
            images = F.leaky_relu(
                F.conv2d(images, _features.Read($"conv{layer}.weight"), _features.Read($"conv{layer}.bias"), padding: [1, 1]), 0.2);
            var unit = images / (images.square().sum(1, keepdim: true) + 1e-8).sqrt();
            rows.Add(unit.flatten(1) / Math.Sqrt(images.shape[2] * images.shape[3]));
        }

        return cat(rows, 1).MoveToOuterDisposeScope();
    });

    public ProjectionDraws Draws(string prefix) => new Recorded(Tensors, prefix);

    public void Dispose()
    {
        _features.Dispose();
        Tensors.Dispose();
    }

    private static SafetensorsFile Open(string name) =>
        SafetensorsFile.Open(RepositoryFiles.Data($"images/stylegan2-projection-tiny/{name}"));

    private sealed class Recorded(SafetensorsFile tensors, string prefix) : ProjectionDraws(0)
    {
        public override (Tensor Latents, Tensor? Labels) Samples(int count, int latentWidth, int labelWidth, Device device) =>
            (tensors.Read("z_samples"), null);

        public override IReadOnlyList<Tensor> NoiseMaps(IReadOnlyList<(string Name, Tensor Map)> layers) =>
            [.. layers.Select(layer => tensors.Read($"{prefix}.noise_start.{layer.Name}").unsqueeze(0).unsqueeze(0))];

        public override Tensor StyleNoise(int step, long rows, long width, Device device) =>
            tensors.Read($"{prefix}.w_noise").narrow(0, step - 1, 1);
    }
}
