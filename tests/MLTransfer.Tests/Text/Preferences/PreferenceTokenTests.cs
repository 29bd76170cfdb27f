using System.Text.Json.Nodes;
using MLTransfer.Tests.Text.Chats;
using MLTransfer.Text;
using MLTransfer.Text.Preferences;
using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Chats;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tokenization;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Language;
using MLTransfer.Torch.Training.Preferences;
using Microsoft.ML;
using Xunit;

namespace MLTransfer.Tests.Text.Preferences;

/// <summary>How texts of preferences become tokens, and what a pipeline makes of them, beside the reference stack (trl).</summary>
public sealed class PreferenceTokenTests : IDisposable
{
    private static readonly JsonNode s_reference = JsonNode.Parse(File.ReadAllText(RepositoryFiles.Data("training/dpo.json")))!;

    private readonly MLContext _ml = new(seed: 1);
    private readonly TemporaryFolder _folder = new();

    private static IEnumerable<PreferenceRow> Rows => s_reference["rows"]!.AsArray().Select(row => new PreferenceRow
    {
        Prompt = (string)row!["prompt"]!, Chosen = (string)row["chosen"]!, Rejected = (string)row["rejected"]!,
    });

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Tokens_are_those_of_the_reference()
    {
        using var network = CausalLanguageModel.Load(RepositoryFiles.Data("families/llama-tiny"));
        var encoder = new PairEncoder(
            TextTokenizer.Load(TestData.TinyModel), network, chat: null, new TextRowForm { MaximumLength = 1000 }, "llama");
        foreach (var (row, expected) in Rows.Zip(s_reference["rows"]!.AsArray()))
        {
            var pair = encoder.Encode(row.Prompt, row.Chosen, row.Rejected)!;
            var prompt = Ids(expected!["prompt_ids"]!);
            AssertText(prompt, Ids(expected["chosen_ids"]!), pair.Chosen);
            AssertText(prompt, Ids(expected["rejected_ids"]!), pair.Rejected);
        }

        static void AssertText(int[] prompt, int[] written, TrainingExample text)
        {
            Assert.Equal([.. prompt, .. written], text.InputIds);
            Assert.Equal([.. prompt.Select(_ => TrainingExample.Ignored), .. written], text.Labels);
        }
    }

    [Theory]
    [InlineData("sigmoid", PreferenceLoss.Sigmoid)]
    [InlineData("ipo", PreferenceLoss.IdentityPreference)]
    [InlineData("robust", PreferenceLoss.Robust)]
    public void A_pipeline_makes_the_steps_of_the_reference(string name, PreferenceLoss loss)
    {
        var (arguments, reference) = (s_reference["arguments"]!, s_reference["losses"]![name]!);
        var network = CausalLanguageModel.Load(RepositoryFiles.Data("families/llama-tiny"));
        PeftAdapterFolder.Load(network, RepositoryFiles.Data("training/dpo_start"));
        using var start = new TextGenerationModel(network, TextTokenizer.Load(TestData.TinyModel));
        var pipeline = _ml.Transforms.Text.TunePreferences("Out", "Prompt", "Chosen", "Rejected", start, new TextPreferenceOptions
        {
            Lora = new LoraOptions { Rank = 4, Alpha = 8, Dropout = 0, TargetModules = ["q_proj", "v_proj"] },
            MaximumLength = (int)arguments["max_length"]!,
            ValidationFraction = 0,
            Training = new PreferenceTrainingOptions
            {
                Loss = loss, Beta = (double)reference["beta"]!, LabelSmoothing = (double?)reference["label_smoothing"] ?? 0,
                NumberOfEpochs = 2, BatchSize = 2, LearningRate = 2e-3, WarmupSteps = 2, Shuffle = false, Precision = Precision.Float32,
            },
        });

        using var model = pipeline.Fit(_ml.Data.LoadFromEnumerable(Rows));

        Assert.All(model.TrainingResult!.History.Zip(reference["log"]!.AsArray()), step =>
        {
            var expected = (double)step.Second!["loss"]!;
            Assert.Equal(expected, step.First.Loss!.Value, 1e-4 * Math.Max(1, expected));
            Assert.Equal((double)step.Second["rewards_margins"]!, step.First.Preferences!.RewardMargin, 1e-3);
        });
    }

    [Fact]
    public void Chats_are_prompts_and_what_the_assistant_says_is_chosen_or_rejected()
    {
        TinyChatModel.Make(_folder["chatml"]);
        const string prompt = """[{"role": "user", "content": "One?"}]""";
        const string longer = """[{"role": "assistant", "content": "[No], one."}]"""; // as messages
        var data = _ml.Data.LoadFromEnumerable(
        [
            new PreferenceRow { Prompt = prompt, Chosen = "Yes, one.", Rejected = longer },
            new PreferenceRow { Prompt = """{"messages": [{"role": "user", "content": "Two?"}]}""", Chosen = "[Two]", Rejected = "No." },
            new PreferenceRow { Prompt = "", Chosen = "a", Rejected = "b" },
        ]);
        var tokenizer = TextTokenizer.Load(_folder["chatml"]);
        var form = new ChatTemplateOptions().ToForm();
        using var network = CausalLanguageModel.Load(_folder["chatml"]);
        var pair = new PairEncoder(tokenizer, network, form, new TextRowForm(), "chatml").Encode(prompt, "Yes, one.", longer)!;
        var format = ChatFormat.Find(tokenizer)!;
        Assert.Equal(format.Encode(new()
        {
            Messages = """[{"role": "user", "content": "One?"}, {"role": "assistant", "content": "Yes, one."}]""",
        }), pair.Chosen.InputIds);
        Assert.Equal("[No], one.<|fin|>\n", tokenizer.Decode([.. pair.Rejected.Labels.Where(id => id != TrainingExample.Ignored)]));

        var pipeline = _ml.Transforms.Text.TunePreferences(
            "Out", null, "Chosen", "Rejected", TinyPreferences.Options(options =>
            {
                (options.PretrainedModel, options.ChatColumnName, options.ValidationFraction) = (_folder["chatml"], "Prompt", 0);
                options.Lora = new LoraOptions { Rank = 4 };
                options.Training = options.Training with { SamplePrompts = ["Three?"] };
            }));
        Assert.Equal(1, pipeline.DescribeTrainingData(data).EmptyRows);
        using var model = pipeline.Fit(data);
        Assert.True(model.TrainingResult!.History[^1].Preferences!.RewardMargin > 0.05);
        using var before = _ml.Generation.LoadPretrained(_folder["chatml"]);
        Assert.Equal(1, _ml.Generation.EvaluatePreferences(model, data, before).RewardAccuracy);
        Assert.Contains("EvaluatePreferences", Assert.Throws<ArgumentException>(() => _ml.Generation.Evaluate(model, data)).Message,
            StringComparison.Ordinal);
        var bad = _ml.Data.LoadFromEnumerable([new PreferenceRow { Prompt = "[7]", Chosen = "a", Rejected = "b" }]);
        Assert.StartsWith("Row 0 of column 'Prompt': Message 0", Assert.Throws<InvalidOperationException>(
            () => pipeline.Fit(bad).Dispose()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_encoder_reads_prompts_and_its_decoder_writes_texts()
    {
        var data = _ml.Data.LoadFromEnumerable(TinyPreferences.Rows(6));
        using var model = _ml.Transforms.Text.TunePreferences(
            "Out", "Prompt", "Chosen", "Rejected", TinyPreferences.Options(options =>
            {
                options.PretrainedModel = RepositoryFiles.Data("families/t5-tiny");
                options.Training = options.Training with { MaximumSteps = 12 };
            })).Fit(data);
        using var before = _ml.Generation.LoadPretrained(RepositoryFiles.Data("families/t5-tiny"));
        Assert.Equal(1, _ml.Generation.EvaluatePreferences(model, data, before).RewardAccuracy);
    }

    [Fact]
    public void An_empty_prompt_begins_as_generation_does()
    {
        using var network = CausalLanguageModel.Load(TestData.TinyModel);
        var tokenizer = TextTokenizer.Load(TestData.TinyModel);
        var pair = new PairEncoder(tokenizer, network, null, new TextRowForm(), "gpt2").Encode("", "The man", "A man")!;
        Assert.Equal(
            [tokenizer.BeginningOfSequenceId!.Value, .. tokenizer.Encode("The man"), tokenizer.EndOfSequenceId!.Value],
            pair.Chosen.InputIds);
        Assert.Equal(pair.Chosen.InputIds.Length - 1, pair.Chosen.PredictedTokens);
    }

    private static int[] Ids(JsonNode ids) => [.. ids.AsArray().Select(id => (int)id!)];
}
