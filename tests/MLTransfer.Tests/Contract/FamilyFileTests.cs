using Microsoft.ML;
using Microsoft.ML.Data;
using MLTransfer.Tests.Persistence;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Networks.Transformers.Families;
using MLTransfer.Torch.Tests.Networks.Transformers;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Language;
using Xunit;

namespace MLTransfer.Tests.Contract;

/// <summary>What every family of text generators promises ML.NET. A family is tested by being listed.</summary>
public sealed class FamilyFileTests(FamilyFileTests.FittedFamilies fitted) : IClassFixture<FamilyFileTests.FittedFamilies>
{
    private static readonly string[] s_prompts = ["the old man", "Grüße", ""];

    public static IEnumerable<TheoryDataRow<string>> Families => ModelTypes.Select(type => new TheoryDataRow<string>(type));

    private static IEnumerable<string> ModelTypes =>
        FamilyRegistry.All.Select(family => family.ModelType).Where(FamilyFolders.IsTextDecoder);

    [Theory]
    [MemberData(nameof(Families))]
    public void A_fitted_generator_writes_the_same_text_in_another_process(string modelType)
    {
        var (trained, untrained, loaded) = fitted.Texts[modelType];

        Assert.Equal(s_prompts.Length, loaded.Length);
        Assert.Equal(trained, loaded);
        Assert.NotEqual(untrained, loaded); // it is the fine-tuned network that was stored
    }

    /// <summary>
    /// Each family fine-tuned for two steps and saved, then all of them loaded by one process that has seen none of this.
    /// </summary>
    public sealed class FittedFamilies : IAsyncLifetime
    {
        private readonly TemporaryFolder _folder = new();

        internal Dictionary<string, (string[] Trained, string[] Untrained, string[] Loaded)> Texts { get; } = [];

        public async ValueTask InitializeAsync()
        {
            var types = ModelTypes.ToList();
            var texts = types.ConvertAll(FitAndSave);
            var loaded = await LoadingProcess.RunAllAsync(types.Select(FileOf), "Continuation", s_prompts);
            Assert.Equal(types.Count, loaded.Length);
            foreach (var ((type, (trained, untrained)), found) in types.Zip(texts).Zip(loaded))
                Texts[type] = (trained, untrained, found);
        }

        public ValueTask DisposeAsync()
        {
            _folder.Dispose();
            return ValueTask.CompletedTask;
        }

        private (string[] Trained, string[] Untrained) FitAndSave(string modelType)
        {
            var ml = new MLContext(seed: 1);
            var data = ml.Data.LoadFromEnumerable(TestData.Stories(4));
            var prompts = ml.Data.LoadFromEnumerable(s_prompts.Select(prompt => new Story { Opening = prompt }));
            var folder = CreateFolder(modelType);
            var generation = new GenerationOptions { MaximumNewTokens = 8 };
            var options = new TextGeneratorOptions
            {
                PretrainedModel = folder,
                // Mixed precision, which Auto chooses on some processors alone.
                Training =
                    new LanguageTrainingOptions { MaximumSteps = 2, BatchSize = 2, LearningRate = 0.05, Precision = Precision.BFloat16 },
                Generation = generation,
            };
            using var trained = ml.Transforms.Text.FineTuneTextGenerator("Continuation", "Opening", "Text", options).Fit(data);
            ml.Model.Save(trained, data.Schema, FileOf(modelType));
            using var untrained = ml.Transforms.Text.GenerateText(
                "Continuation", "Opening", folder, new GenerateTextOptions { Generation = generation }).Fit(data);
            return (TextsOf(trained), TextsOf(untrained));

            string[] TextsOf(ITransformer model) => [.. model.Transform(prompts).GetColumn<string>("Continuation")];
        }

        private string FileOf(string modelType) => _folder[$"{modelType}.zip"];

        /// <summary>The family's checkpoint with a tokenizer of no more tokens than it has.</summary>
        private string CreateFolder(string modelType)
        {
            var folder = Directory.CreateDirectory(_folder[modelType]).FullName;
            foreach (var name in (string[])["config.json", "model.safetensors"])
                File.Copy(Path.Combine(FamilyFolders.PathOf(FamilyFolders.FirstOf(modelType)), name), Path.Combine(folder, name));
            foreach (var name in (string[])["tokenizer.json", "tokenizer_config.json"])
                File.Copy(Path.Combine(TestData.TinyModel, name), Path.Combine(folder, name));
            return folder;
        }
    }
}
