// Writes model files with version 0.1, and beside each what that version was given and made; see README.md.
// Arguments: the folder that gets them, and the folder of gpt2-tiny.
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using MLTransfer;
using MLTransfer.Images;
using MLTransfer.Modules;
using MLTransfer.Text;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Models.StyleGan2;
using MLTransfer.Torch.Modules;

var json = new JsonSerializerOptions { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
var output = Directory.CreateDirectory(args[0]).FullName;
var ml = new MLContext(1);
string[] openings = ["Story 0: the old man", "The red planet", "Grüße", "", "looked back at"];
var stories = openings.Select((opening, i) => new Story
{
    Opening = opening,
    Text = $"Story {i}: the old man looked at the red planet, and the planet looked back at the old man number {i}.",
    Number = i,
}).ToList();
var data = ml.Data.LoadFromEnumerable(stories);
var drawings = Enumerable.Range(0, 8).Select(i => new Drawing
{
    Image = MLImage.CreateFromPixels(16, 16, MLPixelFormat.Rgba32, Pixels(i)),
    Label = [i / 8f, 1 - i / 8f],
    Values = [i, 1 - i, i * i / 8f],
    Number = i,
}).ToList();
var drawn = ml.Data.LoadFromEnumerable(drawings);
MakeText();
MakeAdapters();
MakeImages();
MakeNetwork();

void MakeText()
{
    var options = new TextGeneratorOptions
    {
        PretrainedModel = args[1],
        MaximumSteps = 8,
        BatchSize = 2,
        LearningRate = 5e-3,
        Seed = 7,
        TokenIdsColumnName = "Ids",
        LogProbabilitiesColumnName = "Scores",
        GenerationBatchSize = 2,
        Generation = new() { MaximumNewTokens = 16, RepetitionPenalty = 1.2, StopStrings = ["zzz"] },
    };
    var fitted = ml.Transforms.CopyColumns("Prompt", "Opening")
        .Append(ml.Transforms.Text.FineTuneTextGenerator("Continuation", "Prompt", "Text", options)).Fit(data);
    var view = fitted.Transform(data);
    Save(fitted, data, "text-0.1", new
    {
        Prompts = stories.Select(story => story.Opening),
        Texts = view.GetColumn<string>("Continuation"),
        Ids = view.GetColumn<int[]>("Ids"),
    });
}

void MakeAdapters()
{
    var options = new TextGeneratorOptions
    {
        MaximumSteps = 12,
        BatchSize = 2,
        LearningRate = 5e-3,
        Seed = 7,
        Lora = new LoraOptions { Rank = 2, TargetModules = ["c_attn"] },
        SaveAdapterOnly = true,
        Generation = new() { MaximumNewTokens = 16 },
    };
    var fitted = ml.Transforms.Text.FineTuneTextGenerator("Continuation", "Opening", "Text", options).Fit(data);
    Save(fitted, data, "text-adapter-0.1", new
    {
        Prompts = stories.Select(story => story.Opening),
        Texts = fitted.Transform(data).GetColumn<string>("Continuation"),
    });
}

void MakeImages()
{
    TorchSharp.torch.manual_seed(11);
    var tiny = Directory.CreateTempSubdirectory("tiny-generator-").FullName;
    using (var model = StyleGan2Model.Create(
        StyleGan2Model.Configure(16, channelBase: 64, channelMaximum: 8, latentWidth: 8, mappingLayers: 2)))
    {
        model.Save(tiny);
    }

    var options = new ImageGeneratorOptions
    {
        PretrainedModel = tiny,
        TotalImages = 8,
        BatchSize = 4,
        LearningRate = 0.01,
        AverageHalfLife = 4,
        GenerationBatchSize = 3,
        Seed = 5,
        Truncation = 0.8,
    };
    var fitted = ml.Transforms.FineTuneImageGenerator("Picture", "Number", "Image", options).Fit(drawn);
    Directory.Delete(tiny, recursive: true);
    var seeds = stories.Take(3).ToList();
    Save(fitted, drawn, "image-0.1", new
    {
        Numbers = seeds.Select(story => story.Number),
        Pictures = fitted.Transform(ml.Data.LoadFromEnumerable(seeds)).GetColumn<MLImage>("Picture")
            .Select(picture => picture.Pixels.ToArray()),
    });
}

void MakeNetwork()
{
    var options = new TorchModuleOptions
    {
        NewLayers = [Layer.Dense(8, Activation.Relu), Layer.BatchNormalization(), Layer.Dense(2)],
        NumberOfEpochs = 3,
        BatchSize = 4,
        Seed = 3,
    };
    var fitted = ml.Transforms.FineTuneTorchModule("Out", "Values", "Label", options).Fit(drawn);
    Save(fitted, drawn, "network-0.1", new
    {
        Values = drawings.Select(drawing => drawing.Values),
        Outputs = fitted.Transform(drawn).GetColumn<float[]>("Out"),
    });
}

void Save<T>(ITransformer fitted, IDataView rows, string name, T made)
{
    ml.Model.Save(fitted, rows.Schema, Path.Combine(output, name + ".zip"));
    File.WriteAllText(Path.Combine(output, name + ".json"), JsonSerializer.Serialize(made, json));
}

// [16, 16, 4] bytes: red, green, blue, opaque.
static byte[] Pixels(int drawing) =>
    [.. Enumerable.Range(0, 16 * 16 * 4).Select(p => p % 4 == 3 ? (byte)255 : (byte)(p * (drawing + 3) % 251))];

internal sealed class Story
{
    public string? Opening { get; set; }

    public string? Text { get; set; }

    public float Number { get; set; }
}

internal sealed class Drawing
{
    [ImageType(16, 16)]
    public MLImage? Image { get; set; }

    [VectorType(2)]
    public float[] Label { get; set; } = [];

    [VectorType(3)]
    public float[] Values { get; set; } = [];

    public float Number { get; set; }
}
