using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Xunit;

namespace MLTransfer.Tests.Catalogs;

/// <summary>What a program has to say before its first line of its own, and in which C#.</summary>
public sealed class LanguageVersionTests
{
    private const string Usings = """
        using System;
        using Microsoft.ML;
        using MLTransfer;

        """;

    private const string Rows = """

        public class Story { public string Opening { get; set; } public string Text { get; set; } }
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

        Assert.Empty(Errors(program, LanguageVersion.CSharp12));
        Assert.NotEmpty(Errors(program.Replace("GetGeneration()", "Generation", StringComparison.Ordinal), LanguageVersion.CSharp12));
        Assert.Empty(Errors(program.Replace("GetGeneration()", "Generation", StringComparison.Ordinal), LanguageVersion.CSharp14));
    }

    [Fact]
    public void Options_in_common_use_need_no_using_but_that_of_the_library()
    {
        Assert.Empty(Errors("""
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
            """, LanguageVersion.CSharp14));
    }

    private static IEnumerable<Diagnostic> Errors(string program, LanguageVersion version)
    {
        var references = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Select(path => MetadataReference.CreateFromFile(path));
        var tree = CSharpSyntaxTree.ParseText(Usings + program + Rows, new CSharpParseOptions(version));
        return CSharpCompilation.Create("program", [tree], references).GetDiagnostics()
            .Where(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error);
    }
}
