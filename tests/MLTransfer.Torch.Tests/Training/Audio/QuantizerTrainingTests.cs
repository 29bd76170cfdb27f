using MLTransfer.Torch.Networks.Codecs.EnCodec;
using MLTransfer.Torch.Training.Audio;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Training.Audio;

/// <summary>How codebooks learn, against formulas in float64.</summary>
public sealed class QuantizerTrainingTests : IDisposable
{
    private const int Words = 32;
    private const int Width = 16;

    private readonly TorchSharp.DisposeScope _scope = NewDisposeScope();
    private readonly EnCodecModel _codec = TinyTones.Codec();

    public void Dispose()
    {
        _codec.Dispose();
        _scope.Dispose();
    }

    [Fact]
    public void A_codebook_starts_at_the_means_of_clusters()
    {
        // 32 clusters far from each other: k-means from any of their members finds means of members, and each vector's is near.
        using var generator = new Generator(3);
        var centers = randn([Words, Width], generator: generator) * 10;
        var vectors = centers.repeat(8, 1) + randn([8 * Words, Width], generator: generator) * 0.01;
        var training = new QuantizerTraining(_codec.Quantizer, new() { DeadCodeShare = 0, CodebookDecay = 0 });
        var embeddings = vectors.t().unsqueeze(0).contiguous();
        var first = training.Quantize(embeddings, 1, _ => 1);
        var codebook = _codec.Quantizer.Codebooks[0];
        Assert.Equal(1, codebook.IsStarted.item<float>());
        Assert.Equal(0, _codec.Quantizer.Codebooks[1].IsStarted.item<float>());
        Assert.Equal(8 * Words, codebook.Uses.sum().item<float>(), tolerance: 1e-3);
        Assert.InRange(first.Perplexity, 10, Words);

        // a codeword is the mean of the vectors that it replaced, in float64
        var codes = codebook.Nearest(vectors).data<long>().ToArray();
        var words = codebook.Words.to(float64).data<double>().ToArray();
        var all = vectors.to(float64).data<double>().ToArray();
        foreach (var group in Enumerable.Range(0, codes.Length).GroupBy(row => codes[row]))
        {
            for (var d = 0; d < Width; d++)
                Assert.Equal(group.Average(row => all[row * Width + d]), words[(int)group.Key * Width + d], tolerance: 0.02);
        }
    }

    [Fact]
    public void Codewords_follow_running_means_of_what_they_replace()
    {
        var codebook = Started();
        var (uses, sums) = (Doubles(codebook.Uses), Doubles(codebook.Sums));
        var embeddings = randn([2, Width, 30], generator: new Generator(4));
        var vectors = embeddings.transpose(1, 2).flatten(0, 1);
        var codes = codebook.Nearest(vectors).data<long>().ToArray();
        var result = new QuantizerTraining(_codec.Quantizer, new() { CodebookDecay = 0.9, DeadCodeShare = 0 })
            .Quantize(embeddings, 1, _ => 1);

        var values = Doubles(vectors);
        for (var word = 0; word < Words; word++)
        {
            var rows = Enumerable.Range(0, codes.Length).Where(row => codes[row] == word).ToList();
            uses[word] = 0.9 * uses[word] + 0.1 * rows.Count;
            for (var d = 0; d < Width; d++)
                sums[word * Width + d] = 0.9 * sums[word * Width + d] + 0.1 * rows.Sum(row => values[row * Width + d]);
        }

        var total = uses.Sum();
        var expected = sums.Select((sum, i) => sum / ((uses[i / Width] + 1e-5) / (total + Words * 1e-5) * total)).ToArray();
        AssertClose(uses, Doubles(codebook.Uses));
        AssertClose(expected, Doubles(codebook.Words));
        var counts = codes.GroupBy(code => code).Select(group => group.Count() / 60.0);
        Assert.Equal(Math.Exp(-counts.Sum(p => p * Math.Log(p))), result.Perplexity, tolerance: 1e-6);
        Assert.Equal(codes.Distinct().Count() / (double)Words, result.UsedShare, tolerance: 1e-6);
    }

    [Fact]
    public void Gradients_go_through_and_the_commitment_pulls_vectors_to_their_codewords()
    {
        var codebook = Started();
        var words = codebook.Words.clone();
        var embeddings = randn([1, Width, 5], generator: new Generator(5)).requires_grad_(true);
        var result = new QuantizerTraining(_codec.Quantizer, new() { DeadCodeShare = 0 }).Quantize(embeddings, 1, _ => 1);
        var vectors = embeddings.detach().squeeze(0).t();
        var distances = cdist(vectors, words);
        var nearest = words[distances.argmin(1)];
        Assert.True((result.Quantized.detach().squeeze(0).t() - nearest).abs().max().item<float>() < 1e-5);
        Assert.Equal((vectors - nearest).square().mean().item<float>(), result.Commitment.item<float>(), tolerance: 1e-6);

        var gradient = autograd.grad([result.Quantized.sum() + result.Commitment], [embeddings])[0].squeeze(0).t();
        var expected = 1 + 2 * (vectors - nearest) / vectors.numel();
        Assert.True((gradient - expected).abs().max().item<float>() < 1e-6);
    }

    [Fact]
    public void Dead_codewords_become_vectors_of_the_batch_that_the_seed_chooses()
    {
        var embeddings = randn([1, Width, 40], generator: new Generator(6));
        var (first, dead) = Replace(seed: 8);
        var (second, _) = Replace(seed: 8);
        var (third, _) = Replace(seed: 9);
        Assert.Equal(first, second);
        Assert.NotEqual(first, third);
        Assert.Equal([4, 20], dead);
        var vectors = embeddings.squeeze(0).t().contiguous().data<float>().ToArray();
        foreach (var word in dead)
        {
            var replaced = first[(word * Width)..((word + 1) * Width)];
            Assert.Contains(Enumerable.Range(0, 40), row => vectors.AsSpan(row * Width, Width).SequenceEqual(replaced));
        }

        (float[] Words, int[] Dead) Replace(ulong seed)
        {
            var codebook = Started();
            codebook.Words[4].fill_(1e3f); // too far to be used
            codebook.Words[20].fill_(-1e3f);
            codebook.Sums.copy_(codebook.Words * codebook.Uses.unsqueeze(1));
            codebook.Uses[4] = 0.01f;
            codebook.Uses[20] = 0.01f;
            codebook.Sums[4].mul_(0.001f);
            codebook.Sums[20].mul_(0.001f);
            new QuantizerTraining(_codec.Quantizer, new() { DeadCodeShare = 0.05, CodebookDecay = 0.99 })
                .Quantize(embeddings, 1, _ => seed);
            var uses = codebook.Uses.data<float>().ToArray();
            Assert.All((int[])[4, 20], word => Assert.InRange(uses[word], 4, 6));
            var far = new[] { 4, 20 }.Where(word => codebook.Words[word].abs().max().item<float>() < 100).ToArray();
            return (codebook.Words.data<float>().ToArray(), far);
        }
    }

    /// <summary>The first codebook, as if it had been trained.</summary>
    private Codebook Started()
    {
        var codebook = _codec.Quantizer.Codebooks[0];
        codebook.IsStarted.fill_(1);
        codebook.Words.copy_(randn([Words, Width], generator: new Generator(7)));
        codebook.Uses.fill_(5);
        codebook.Sums.copy_(codebook.Words * 5);
        return codebook;
    }

    private static double[] Doubles(Tensor tensor) => tensor.to(float64).contiguous().data<double>().ToArray();

    private static void AssertClose(double[] expected, double[] actual) =>
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, tolerance: 1e-5));
}
