using System.Text.Json.Nodes;
using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Generation.Images;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks;
using MLTransfer.Torch.Networks.Codecs.Vqgan;
using MLTransfer.Torch.Networks.Dalle;
using MLTransfer.Torch.Networks.DalleMini;
using MLTransfer.Torch.Training.Images;
using static TorchSharp.torch;

namespace MLTransfer.Benchmarks.Workloads.Images;

/// <summary>Training and drawing by a DALL-E and by a DALL-E mini of a quarter of the published one's width and a third of its depth, with
/// random weights. Both have 16 x 16 codes.</summary>
internal sealed class PictureTasks : IDisposable
{
    private const int CaptionTokens = 12;

    private static readonly TextToImageShape s_dalle =
        new(Width: 256, Inner: 1024, Heads: 4, Depth: 6, TextVocabulary: 8192, TextLength: 64, Side: 16, Codebook: 1024);

    private static readonly TextToImageShape s_mini =
        new(Width: 256, Inner: 682, Heads: 4, Depth: 4, TextVocabulary: 50264, TextLength: 64, Side: 16, Codebook: 16384);

    private readonly Stack<IDisposable> _owned = [];

    /// <param name="batchSize">Pictures of a step of training.</param>
    public IEnumerable<PictureTask> Training(int batchSize)
    {
        foreach (var (name, shape, create, plain, padding) in Networks())
        {
            foreach (var lora in (LoraOptions?[])[null, new()])
            {
                var model = Own(create());
                if (lora is not null)
                    LowRankAdaptation.Attach(model, lora, seed: 1);
                var other = Own(plain());
                if (lora is not null)
                    other.Adapt(lora.Rank);
                var random = new Random(2);
                TextToImageRow[] rows = [.. Enumerable.Range(0, batchSize).Select(_ => new TextToImageRow(
                    Caption(random, shape, padding), [.. Enumerable.Range(0, shape.Codes).Select(_ => random.Next(shape.Codebook))]))];
                var ours = Own(new LibraryCodeTraining(model, rows, batchSize));
                var theirs = Own(new PlainCodeTraining(
                    other, Own(Ids(rows.Select(row => row.Text!))), Own(Ids(rows.Select(row => row.Codes)))));
                var what = lora is null ? "all weights" : "adapters";
                yield return new($"{name}, step of {batchSize}, {what}", batchSize, ours.Step, theirs.Step);
            }
        }
    }

    /// <param name="pictures">That are drawn together.</param>
    public IEnumerable<PictureTask> Drawing(int pictures)
    {
        foreach (var (name, shape, create, plain, padding) in Networks())
        {
            var decoder = new TorchTextToImageDecoder(Own(create()));
            var other = Own(plain());
            other.eval();
            var random = new Random(3);
            int[][] captions = [.. Enumerable.Range(0, pictures).Select(_ => Caption(random, shape, padding))];
            var options = new ImageGenerationOptions { Sample = false, BatchSize = pictures };
            var (text, empty) = (Own(Ids(captions)), Own(Ids([decoder.PadCaption(null)])));
            yield return new(
                $"{name} draws {pictures}", pictures,
                () => new CodeSearch(decoder, options, _ => { }, CancellationToken.None).Run(
                    [.. captions.Select((ids, row) => new CodeRow(row, ids, true, null, new bool[shape.Codes], 1))]),
                () => other.Draw(text, empty, options.GuidanceScale).Dispose());
        }
    }

    public void Dispose()
    {
        while (_owned.TryPop(out var one))
            one.Dispose();
    }

    private static IEnumerable<(string, TextToImageShape, Func<TextToImageModel>, Func<PlainTextToImage>, int Padding)> Networks() =>
    [
        ("DALL-E", s_dalle, CreateDalle, () => new PlainDalle(s_dalle), 0),
        ("DALL-E mini", s_mini, CreateMini, () => new PlainDalleMini(s_mini), 1),
    ];

    private static DalleModel CreateDalle()
    {
        var codec = new JsonObject
        {
            ["image_size"] = 2 * s_dalle.Side, ["num_layers"] = 1, ["num_tokens"] = s_dalle.Codebook, ["codebook_dim"] = 16,
            ["hidden_dim"] = 8,
        };
        var configuration = DalleModel.Configure(
            codec, s_dalle.TextVocabulary, s_dalle.TextLength, s_dalle.Width, s_dalle.Depth, s_dalle.Heads, s_dalle.Width / s_dalle.Heads);
        configuration["hparams"]!["shift_tokens"] = false;
        configuration["hparams"]!["rotary_emb"] = false;
        return DalleModel.Create(configuration, seed: 1);
    }

    private static DalleMiniModel CreateMini()
    {
        var shape = s_mini;
        var configuration = new JsonObject
        {
            ["model_type"] = "dallebart", ["activation_function"] = "gelu", ["d_model"] = shape.Width,
            ["encoder_attention_heads"] = shape.Heads, ["decoder_attention_heads"] = shape.Heads, ["encoder_ffn_dim"] = shape.Inner,
            ["decoder_ffn_dim"] = shape.Inner, ["encoder_layers"] = shape.Depth, ["decoder_layers"] = shape.Depth,
            ["encoder_vocab_size"] = shape.TextVocabulary, ["image_vocab_size"] = shape.Codebook, ["image_length"] = shape.Codes,
            ["max_text_length"] = shape.TextLength, ["decoder_start_token_id"] = shape.Codebook, ["use_bias"] = false, ["use_glu"] = true,
            ["ln_positions"] = "normformer", ["use_final_ln_encoder"] = true, ["use_final_ln_decoder"] = true,
            ["force_ln_scale"] = true,
        };
        var codec = VqganModel.Configure(
            2 * shape.Side, shape.Codebook, codewordWidth: 16, channels: 32, [1, 1], residualBlocks: 1, attentionResolutions: []);
        return DalleMiniModel.Create(configuration, codec, seed: 1);
    }

    private static int[] Caption(Random random, TextToImageShape shape, int padding) =>
    [
        .. Enumerable.Range(0, CaptionTokens).Select(_ => random.Next(4, shape.TextVocabulary)),
        .. Enumerable.Repeat(padding, shape.TextLength - CaptionTokens),
    ];

    private static Tensor Ids(IEnumerable<int[]> rows)
    {
        var all = rows.ToList();
        return tensor(all.SelectMany(row => row).Select(id => (long)id).ToArray(), [all.Count, all[0].Length]);
    }

    private T Own<T>(T one)
        where T : IDisposable
    {
        _owned.Push(one);
        return one;
    }
}
