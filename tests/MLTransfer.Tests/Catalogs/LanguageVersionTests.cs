using MLTransfer.Tests.Pages;
using Microsoft.CodeAnalysis.CSharp;
using Xunit;
using Xunit.Sdk;

namespace MLTransfer.Tests.Catalogs;

/// <summary>What a program has to say before its first line of its own, and in which C#.</summary>
public sealed class LanguageVersionTests
{
    private const string Usings = """
        using Microsoft.ML;
        using MLTransfer;

        """;

    private const string Rows = """

        public class Story { public string Opening { get; set; } = ""; public string Text { get; set; } = ""; }
        """;

    [Fact]
    public void An_older_CSharp_has_all_of_the_generation_catalog_by_an_ordinary_method()
    {
        const string program = """
            var ml = new MLContext(seed: 1);
            IDataView stories = ml.Data.LoadFromJsonLines<Story>("stories.jsonl");
            ITransformer model = ml.Transforms.Text.FineTuneTextGenerator("Continuation", "Opening", "Text").Fit(stories);
            Console.WriteLine(ml.GetGeneration().Evaluate(model, stories).Perplexity);
            Console.WriteLine(ml.GetGeneration().GetTextGenerator(model).Generate("Once"));
            ml.GetGeneration().ExportToOnnx(model, "onnx");
            """;

        Compile(program, LanguageVersion.CSharp12);
        var byProperty = program.Replace("GetGeneration()", "Generation", StringComparison.Ordinal);
        Compile(byProperty, LanguageVersion.CSharp14);
        Assert.Throws<TrueException>(() => Compile(byProperty, LanguageVersion.CSharp12));
    }

    [Fact]
    public void Options_in_common_use_need_no_using_but_that_of_the_library()
    {
        Compile("""
            var ml = new MLContext(seed: 1);
            var text = ml.Transforms.Text.FineTuneTextGenerator("Out", "Opening", "Text", new TextGeneratorOptions
            {
                Training = new() { NumberOfEpochs = 1, LearningRate = 1e-4, BatchSize = 4, OutputDirectory = "run", Resume = true },
                Lora = new() { Rank = 4 },
                Generation = new() { Sample = true, Temperature = 0.8, MaximumNewTokens = 20 },
                RowPacking = RowPacking.None, DecodingPrecision = DecodingPrecision.Int8, WeightType = WeightType.Float16,
                BaseModel = ml.Model.Load("first.zip", out _),
            });
            var pictures = ml.Transforms.FineTuneImageGenerator("Picture", "Seed", "Image", new ImageGeneratorOptions { Truncation = 0.7 });
            var network = ml.Transforms.FineTuneTorchModule("Score", "Features", "Label", new TorchModuleOptions
            {
                Pretrained = PretrainedNetwork.ModelFile("first.zip"), InputScaling = ImageScaling.ImageNet,
                Training = new() { NumberOfEpochs = 2 },
            });
            """, LanguageVersion.CSharp14);
    }

    private static void Compile(string program, LanguageVersion version) =>
        new PageProgram(Usings + program + Rows).Compile(version: version);
}
