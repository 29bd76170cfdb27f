using System.Text.Json.Nodes;
using MLTransfer.Tests.Networks;
using MLTransfer.Torch.Networks.Described;
using MLTransfer.Torch.Training;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace MLTransfer.Tests.Text;

/// <summary>Estimators answer samples while they fit.</summary>
public sealed class SampleAnswerTests : IDisposable
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_text_generator_answers_with_its_own_generation_options_and_tells_the_log()
    {
        var messages = new List<string>();
        _ml.Log += (_, entry) => messages.Add(entry.Message);
        var stories = _ml.Data.LoadFromEnumerable(TestData.Stories(10));
        using var model = _ml.Transforms.Text.FineTuneTextGenerator("Continuation", "Opening", "Text", new TextGeneratorOptions
        {
            PretrainedModel = TestData.TinyModel,
            Generation = new() { MaximumNewTokens = 4 },
            Training = new()
            {
                MaximumSteps = 4, EvaluationSteps = 2, SamplePrompts = ["Story 3: the"], OutputDirectory = _folder["run"],
                KeepBestModel = false, Precision = Precision.Float32,
            },
        }).Fit(stories);

        var answers = File.ReadLines(_folder["run/answers.jsonl"]).Select(line => JsonNode.Parse(line)!).ToList();
        Assert.Equal([0, 2, 4], answers.Select(answer => answer["step"]!.GetValue<int>()));
        var last = answers[^1]["text"]!.GetValue<string>();
        Assert.Equal(model.Model.Generate("Story 3: the", new() { MaximumNewTokens = 4 }, TestContext.Current.CancellationToken), last);
        Assert.Contains(messages, message => message.EndsWith($"Step 4, answer to 'Story 3: the': {last}", StringComparison.Ordinal));
        Assert.Contains("Story 3: the", File.ReadAllText(_folder["run/run.html"]), StringComparison.Ordinal);
    }

    [Fact]
    public void A_network_that_makes_pictures_shows_pictures()
    {
        var drawings = _ml.Data.LoadFromEnumerable(Drawings.Make(8));
        using var model = _ml.Transforms.FineTuneTorchModule("Copy", "Image", "Image", new TorchModuleOptions
        {
            NewLayers = [Layer.Convolution(3, 1)],
            OutputScaling = ImageScaling.MinusOneToOne,
            Training = new() { NumberOfEpochs = 2, SampleRows = 2, OutputDirectory = _folder["run"], KeepBestModel = false },
        }).Fit(drawings);
        var lines = File.ReadLines(_folder["run/answers.jsonl"]).Select(line => JsonNode.Parse(line)!).ToList();
        Assert.Equal(6, lines.Count);
        var made = model.Transform(drawings).GetColumn<MLImage>("Copy").ElementAt(1).Pixels.ToArray();
        using var shown = MLImage.CreateFromFile(_folder["run/" + lines[^1]["file"]!.GetValue<string>()]);
        var (red, blue) = shown.PixelFormat == MLPixelFormat.Bgra32 ? (2, 0) : (0, 2);
        var pixels = shown.Pixels.ToArray();
        Assert.Equal(made.Chunk(4).Select(p => (p[0], p[1], p[2])), pixels.Chunk(4).Select(p => (p[red], p[1], p[blue])));
    }
}
