using MLTransfer.Onnx.Writing;
using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Networks.StyleGan2;
using Microsoft.ML.OnnxRuntime;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Onnx.Tests;

[Collection(ProcessWideState.Name)]
public sealed class ImageGeneratorExporterTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(NoiseMode.Constant, 1, "image_const")]
    [InlineData(NoiseMode.Constant, 0.5, "image_psi05_const")]
    [InlineData(NoiseMode.None, 1, "image_none")]
    public void ONNX_Runtime_makes_the_images_of_the_reference(NoiseMode noise, double psi, string reference)
    {
        using var model = StyleGan2Model.Load(RepositoryFiles.Data("stylegan2-tiny"));
        using var file = SafetensorsFile.Open(RepositoryFiles.Data("stylegan2-tiny/forward.safetensors"));
        using var scope = NewDisposeScope();
        var (z, expected) = (file.Read("z"), file.Read(reference));

        Assert.InRange(ImageGeneratorExporter.Export(model, _folder["model.onnx"], noise), 0, 1e-3);

        var found = Run(new() { ["z"] = z, ["psi"] = full([z.shape[0], 1], psi, ScalarType.Float32) });
        Assert.Equal(expected.shape, found.shape);
        Assert.InRange((found - expected).abs().max().item<float>(), 0, 1e-3);
        Assert.Equal([_folder["model.onnx"]], Directory.EnumerateFiles(_folder.Path));
    }

    [Fact]
    public void A_conditional_generator_with_clamped_features_takes_labels()
    {
        manual_seed(4);
        var configuration =
            StyleGan2Model.Configure(16, channelBase: 128, channelMaximum: 16, latentWidth: 12, mappingLayers: 2, labelWidth: 3);
        configuration["generator"]!["synthesis_kwargs"]!["conv_clamp"] = 0.7;
        using var model = StyleGan2Model.Create(configuration);
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        foreach (var (name, value) in StyleGan2Model.CheckpointTensors(model.Generator))
        {
            if (name.EndsWith("noise_strength", StringComparison.Ordinal) || name.EndsWith("w_avg", StringComparison.Ordinal))
                value.fill_(0.3);
        }

        Assert.InRange(ImageGeneratorExporter.Export(model, _folder["model.onnx"]), 0, 1e-3);

        var (z, labels) = (randn(3, 12), eye(3));
        var found = Run(new() { ["z"] = z, ["labels"] = labels, ["psi"] = tensor((float[])[1, 0.6f, 0], [3, 1]) });
        var expected = new[] { 1, 0.6, 0 }.Select(
            (psi, i) => model.Generator.Generate(z[i].unsqueeze(0), labels[i].unsqueeze(0), psi, NoiseMode.Constant)).ToArray();
        Assert.InRange((found - cat(expected, 0)).abs().max().item<float>(), 0, 1e-3);
    }

    [Fact]
    public void Random_noise_is_refused()
    {
        using var model = StyleGan2Model.Load(RepositoryFiles.Data("stylegan2-tiny"));

        Assert.Throws<ArgumentException>(() => ImageGeneratorExporter.Export(model, _folder["model.onnx"], NoiseMode.Random));
        Assert.Empty(Directory.EnumerateFiles(_folder.Path));
    }

    private Tensor Run(Dictionary<string, Tensor> inputs)
    {
        using var session = new InferenceSession(_folder["model.onnx"]);
        Assert.Equal(inputs.Keys.Order(), session.InputNames.Order());
        var values = inputs.ToDictionary(
            pair => pair.Key, pair =>
                OrtValue.CreateTensorValueFromMemory(pair.Value.contiguous().data<float>().ToArray(), pair.Value.shape));
        using var run = new RunOptions();
        using var outputs = session.Run(run, values, ["image"]);
        var found = tensor(outputs[0].GetTensorDataAsSpan<float>().ToArray(), outputs[0].GetTensorTypeAndShape().Shape);
        foreach (var value in values.Values)
            value.Dispose();
        return found;
    }
}
