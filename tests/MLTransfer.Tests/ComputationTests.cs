using System.Text.Json.Nodes;
using MLTransfer.Tests.Text;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Numerics.Lanes;
using MLTransfer.Torch.Training;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace MLTransfer.Tests;

/// <summary>What a training computes with, as a user's program is told it.</summary>
public sealed class ComputationTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly MLContext _ml = new(seed: 1);
    private readonly List<string> _messages = [];

    public ComputationTests() => _ml.Log += (_, message) => _messages.Add(message.Message);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Log_metrics_and_model_tell_it()
    {
        var precision = ProcessorFeatures.HasBFloat16Products ? Precision.BFloat16 : Precision.Float32;
        var threads = Environment.ProcessorCount + 1;
        var data = _ml.Data.LoadFromEnumerable(TestData.Stories(8));
        using (var model = _ml.Transforms.Text.FineTuneTextGenerator("Out", "Opening", "Text", TextGeneratorPipelineTests.Tiny(o =>
            o.Training = o.Training with
            {
                MaximumSteps = 2, OutputDirectory = _folder["run"], Precision = Precision.Auto, Threads = threads,
            })).Fit(data))
        {
            _ml.Generation.Save(model, data.Schema, _folder["model.zip"]);
        }

        Assert.Contains(_messages, message => message.Contains(
            $"Computing in {(precision == Precision.BFloat16 ? "bfloat16" : "float32")} on {threads} threads (", StringComparison.Ordinal));
        Assert.Contains(_messages, message => message.Contains(
            $"{threads} threads compute on {Environment.ProcessorCount} processors", StringComparison.Ordinal));
        var first = JsonNode.Parse(File.ReadLines(_folder["run/metrics.jsonl"]).First())!["computation"]!;
        Assert.Equal((precision.ToString(), threads), ((string)first["Precision"]!, (int)first["Threads"]!));
        Assert.Contains("Threads", File.ReadAllText(_folder["run/run.html"]), StringComparison.Ordinal);

        using var loaded = (TextGeneratorTransformer)_ml.Model.Load(_folder["model.zip"], out _);
        _ml.Generation.SaveModelFolder(loaded, _folder["folder"]);
        var card = File.ReadAllText(_folder["folder/README.md"]);
        Assert.Contains($"| Precision | {precision} |", card, StringComparison.Ordinal);
        Assert.Contains($"| Threads | {threads} |", card, StringComparison.Ordinal);
    }

    [Fact]
    public void Decoding_by_libtorch_writes_the_same_texts()
    {
        var data = _ml.Data.LoadFromEnumerable(TestData.Stories(3));
        string[] Write(DecodingKernels kernels)
        {
            using var model = _ml.Transforms.Text.GenerateText("Out", "Opening", options: new()
            {
                DecodingKernels = kernels, Generation = new() { MaximumNewTokens = 12 },
            }).Fit(data);
            return [.. model.Transform(data).GetColumn<string>("Out")];
        }

        var expected = Write(DecodingKernels.Rows);
        Assert.DoesNotContain(_messages, message => message.Contains("Decoding by", StringComparison.Ordinal)); // nothing is measured
        Assert.Equal(expected, Write(DecodingKernels.Libtorch));

        Assert.Equal(3, Write(DecodingKernels.Auto).Length);
        Assert.Contains(_messages, message => message.Contains("Decoding by", StringComparison.Ordinal)
            && message.Contains("8 x 256 x 1024: row kernels", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("TEST_NOTHING", false)]
    [InlineData("TEST_LIBTORCH_FIRST", true)]
    public async Task A_program_that_used_TorchSharp_first_is_told_that_it_was_too_late(string variable, bool isTold)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "libtorch computes by libgomp on Linux.");

        var (exitCode, output, errors) = await TestProcess.RunAsync(
            _folder.Path, [(variable, "1")], "fit", RepositoryFiles.Data("gpt2-tiny"));

        Assert.True(exitCode == 0, errors);
        Assert.Contains("Computing in", output, StringComparison.Ordinal);
        Assert.Equal(isTold, output.Contains("TorchSharp was used before MLTransfer", StringComparison.Ordinal));
    }
}
