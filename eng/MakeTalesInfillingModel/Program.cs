// Trains the embedded text infiller from random weights, with the library's own tokenizer training and recipe.
//   dotnet run --project eng/MakeTalesInfillingModel -c Release -- tales.txt.xz FOLDER
// FOLDER gets the run's checkpoints and metrics, and in FOLDER/model the files of src/MLTransfer.Models.TalesInfilling/model. A run that
// was cut off goes on. It takes an hour of one core of an AMD EPYC (Zen 4).
using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using MakeTalesInfillingModel;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tokenization;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Language;
using static TorchSharp.torch;

const int Vocabulary = 5_120;
const int Length = 128;
const int HeldOutParagraphs = 1_000;
const int Steps = 6_000;
const int Seed = 1;
const double InitialDeviation = 0.06; // about width^-0.5

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
if (args is not [var corpus, var folder])
{
    Console.Error.WriteLine("Usage: MakeTalesInfillingModel tales.txt.xz FOLDER");
    return 1;
}

var started = Stopwatch.GetTimestamp();
var paragraphs = Corpus.Read(corpus);
var modelFolder = Directory.CreateDirectory(Path.Combine(folder, "model")).FullName;
var tokenizer = File.Exists(Path.Combine(modelFolder, "tokenizer.json")) ? TextTokenizer.Load(modelFolder) : TrainTokenizer();
var training = Corpus.Rows(paragraphs.SkipLast(HeldOutParagraphs), tokenizer, Length);
var heldOut = Corpus.Rows(paragraphs.TakeLast(HeldOutParagraphs), tokenizer, Length);
Console.WriteLine(
    $"{paragraphs.Count} paragraphs, {training.Count} rows of {Length} tokens, {heldOut.Count} held out; "
    + $"{Stopwatch.GetElapsedTime(started).TotalSeconds:F0} s");

using var model = (MaskedLanguageModel)TransformerNetwork.Create(
    new JsonObject
    {
        ["architectures"] = new JsonArray("BertForMaskedLM"),
        ["model_type"] = "bert",
        ["vocab_size"] = Vocabulary,
        ["hidden_size"] = 192,
        ["num_hidden_layers"] = 4,
        ["num_attention_heads"] = 3,
        ["intermediate_size"] = 768,
        ["hidden_act"] = "gelu",
        ["hidden_dropout_prob"] = 0.0, // a small network that sees every row a few times
        ["attention_probs_dropout_prob"] = 0.0,
        ["max_position_embeddings"] = Length,
        ["type_vocab_size"] = 1,
        ["initializer_range"] = InitialDeviation,
        ["layer_norm_eps"] = 1e-12,
        ["pad_token_id"] = tokenizer.Encode("[PAD]")[1],
    },
    seed: Seed);
PlacePositions(model);
var result = new LanguageModelTrainer(
    model,
    new LanguageTrainingOptions
    {
        MaximumSteps = Steps,
        BatchSize = 32,
        LearningRate = 1e-3,
        LearningRateSchedule = LearningRateSchedule.Cosine,
        WarmupSteps = 200,
        WeightDecay = 0.01,
        AdamBeta2 = 0.98,
        EvaluationSteps = 1_000,
        EvaluationBatchSize = 32,
        CheckpointSteps = 250,
        CheckpointLimit = 2,
        OutputDirectory = folder,
        Resume = true,
        Seed = Seed,
    },
    training, heldOut, tokenizer, new TokenMasking(tokenizer, new MaskingOptions { Share = 0.25 })).Train(new Progress());

model.Save(modelFolder, ScalarType.Float16);
Console.WriteLine($"{result.Steps} steps; held-out loss {result.ValidationLoss:F4} nats a masked token");
return 0;

// Positions begin as waves: from random ones a small network learns no more than how frequent tokens are for thousands of steps, before it
// finds out which positions are neighbours.
static void PlacePositions(MaskedLanguageModel model)
{
    using var gradients = no_grad();
    using var scope = NewDisposeScope();
    var table = model.get_parameter("bert.embeddings.position_embeddings.weight")!; // [positions, width]
    var (positions, half) = (table.shape[0], table.shape[1] / 2);
    var angles = arange(positions).unsqueeze(1) * exp(arange(half) * (-Math.Log(10_000) / half)); // [positions, width / 2]
    table.copy_(cat([angles.sin(), angles.cos()], 1) * InitialDeviation * Math.Sqrt(2));
}

TextTokenizer TrainTokenizer()
{
    var trained = TextTokenizer.Train(
        paragraphs, new TokenizerTrainingOptions { Kind = TokenizerKind.WordPiece, VocabularySize = Vocabulary });
    trained.Save(modelFolder);
    return trained;
}

/// <summary>A line every hundred steps.</summary>
internal sealed class Progress : IProgress<TrainingProgress>
{
    public void Report(TrainingProgress value)
    {
        if (value.ValidationLoss is { } held)
            Console.WriteLine($"step {value.Step}: held-out loss {held:F4}");
        else if (value.Step % 100 == 0)
        {
            Console.WriteLine(
                $"step {value.Step}: loss {value.Loss:F3}, {value.TokensPerSecond:F0} tokens/s, {value.Remaining:hh\\:mm\\:ss} left");
        }
    }
}
