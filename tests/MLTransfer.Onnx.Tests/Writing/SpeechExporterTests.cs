using System.Text.Json.Nodes;
using MLTransfer.Onnx.Writing;
using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Networks.Vits;
using MLTransfer.Torch.Tokenization;
using Microsoft.ML.OnnxRuntime;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Onnx.Tests.Writing;

public sealed class SpeechExporterTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("vits-tiny-stochastic", "", null, 1.0)]
    [InlineData("vits-tiny-speakers", "speaker2.rate0.8", 2L, 0.8)]
    [InlineData("vits-tiny-speakers", "speaker0.rate1.3", 0L, 1.3)]
    public void Onnx_runtime_speaks_as_the_reference_does(string name, string prefix, long? speaker, double rate)
    {
        using var scope = NewDisposeScope();
        var source = RepositoryFiles.Data($"speech/{name}");
        using var model = VitsModel.Load(source);
        var difference = SpeechExporter.Export(
            model, SpeechTokenizer.Load(source), _folder["export"],
            new SpeechOptions { NoiseScale = 0, DurationNoiseScale = 0, SpeakingRate = rate });
        Assert.InRange(difference, 0, 1e-4);

        using var data = SafetensorsFile.Open(Path.Combine(source, "forward.safetensors"));
        var key = prefix.Length == 0 ? "" : prefix + ".";
        using var session = new InferenceSession(_folder["export/model.onnx"]);
        foreach (var (output, expected) in Run(session, data, speaker))
        {
            var wanted = data.Read(key + output);
            Assert.Equal(wanted.shape, expected.shape);
            Assert.InRange((wanted - expected).abs().max().item<float>(), 0, 1e-3);
        }
    }

    [Fact]
    public void Noise_is_drawn_anew_and_the_files_of_transformers_js_are_there()
    {
        using var scope = NewDisposeScope();
        var source = RepositoryFiles.Data("speech/vits-tiny-stochastic");
        using var model = VitsModel.Load(source);
        SpeechExporter.Export(model, SpeechTokenizer.Load(source), _folder["export"], new SpeechOptions { DurationNoiseScale = 0 },
            transformersJsFiles: true);
        using var data = SafetensorsFile.Open(Path.Combine(source, "forward.safetensors"));
        using var session = new InferenceSession(_folder["export/onnx/model.onnx"]);
        Assert.False(Run(session, data, null)["waveform"].allclose(Run(session, data, null)["waveform"]));

        var json = JsonNode.Parse(File.ReadAllText(_folder["export/tokenizer.json"]))!;
        Assert.Equal(0, json["model"]!["vocab"]!["k"]!.GetValue<int>());
        Assert.Equal(["Lowercase", "Replace", "Strip", "Replace"],
            json["normalizer"]!["normalizers"]!.AsArray().Select(step => step!["type"]!.GetValue<string>()));
        Assert.True(File.Exists(_folder["export/config.json"]));
    }

    private static Dictionary<string, Tensor> Run(InferenceSession session, SafetensorsFile data, long? speaker)
    {
        var ids = data.Read("input_ids");
        var inputs = new Dictionary<string, OrtValue>
        {
            ["input_ids"] = Value(ids), ["attention_mask"] = Value(data.Read("attention_mask")),
        };
        if (speaker is { } voice)
            inputs.Add("speaker_id", Value(full([2], voice, int64)));
        using var run = new RunOptions();
        using var outputs = session.Run(run, inputs, session.OutputNames);
        return session.OutputNames.Zip(outputs, (name, value) => (name, Tensor: tensor(
            value.GetTensorDataAsSpan<float>().ToArray(), value.GetTensorTypeAndShape().Shape))).ToDictionary(o => o.name, o => o.Tensor);

        static OrtValue Value(Tensor numbers) =>
            OrtValue.CreateTensorValueFromMemory(numbers.contiguous().data<long>().ToArray(), numbers.shape);
    }
}
