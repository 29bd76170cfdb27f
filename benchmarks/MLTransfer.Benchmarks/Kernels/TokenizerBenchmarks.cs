using BenchmarkDotNet.Attributes;
using MLTransfer.Models;
using MLTransfer.Torch.Tokenization;

namespace MLTransfer.Benchmarks.Kernels;

/// <summary>The byte-level BPE of the embedded model on an excerpt of a novel.</summary>
public class TokenizerBenchmarks
{
    private readonly string _folder = TalesModel.Folder;
    private TextTokenizer _tokenizer = null!;
    private string _text = "";
    private int[] _ids = [];

    [GlobalSetup]
    public void Setup()
    {
        _tokenizer = TextTokenizer.Load(_folder);
        _text = File.ReadAllText(RepositoryFiles.Data("mars-excerpt.txt"));
        _ids = _tokenizer.Encode(_text);
    }

    [Benchmark]
    public TextTokenizer Load() => TextTokenizer.Load(_folder);

    [Benchmark]
    public int[] Encode() => _tokenizer.Encode(_text);

    [Benchmark]
    public string Decode() => _tokenizer.Decode(_ids);
}
