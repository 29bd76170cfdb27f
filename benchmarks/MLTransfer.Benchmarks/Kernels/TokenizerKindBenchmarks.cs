using System.IO.Compression;
using BenchmarkDotNet.Attributes;
using MLTransfer.Torch.Tokenization;

namespace MLTransfer.Benchmarks.Kernels;

/// <summary>Tokenizers of every kind of the reference data on two megabytes of a novel, and on a word of a million letters.</summary>
public class TokenizerKindBenchmarks
{
    private TextTokenizer _tokenizer = null!;
    private string _text = "";
    private int[] _ids = [];
    private readonly string _longWord = new('x', 1_000_000);

    /// <summary>The folder of the reference data.</summary>
    [Params("llama3", "o200k", "llama2", "mistral-v3", "gemma", "roberta", "bert-uncased", "t5", "albert", "wordlevel", "tiktoken")]
    public string Kind { get; set; } = "";

    [GlobalSetup]
    public void Setup()
    {
        using var archive = ZipFile.OpenRead(RepositoryFiles.Data("tokenizers/references.zip"));
        var files = archive.Entries.Where(entry => entry.FullName == $"{Kind}/{entry.Name}").ToDictionary(entry => entry.Name, entry =>
        {
            using var stream = entry.Open();
            var content = new byte[entry.Length];
            stream.ReadExactly(content);
            return content;
        });
        _tokenizer = TextTokenizer.Load(files);
        string excerpt = File.ReadAllText(RepositoryFiles.Data("mars-excerpt.txt"));
        _text = string.Concat(Enumerable.Repeat(excerpt, 1 + 2_000_000 / excerpt.Length));
        _ids = _tokenizer.Encode(_text);
    }

    [Benchmark]
    public int[] Encode() => _tokenizer.Encode(_text);

    [Benchmark]
    public TextEncoding EncodeWithOffsets() => _tokenizer.EncodeText(_text);

    [Benchmark]
    public string Decode() => _tokenizer.Decode(_ids);

    [Benchmark]
    public int[] LongWord() => _tokenizer.Encode(_longWord);
}
