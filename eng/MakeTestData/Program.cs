// Makes the reference data that the repository holds copies of, out of the reference stack's folders; README.md tells the origin of all
// test data.
//   dotnet run --project eng/MakeTestData -- REFERENCE REPOSITORY [--check]
// REFERENCE has the folders goldens, pretrained and corpus. With --check nothing is written; files that differ are named.
using MakeTestData;

if (args is not ([_, _] or [_, _, "--check"]))
{
    Console.Error.WriteLine("Usage: MakeTestData REFERENCE REPOSITORY [--check]");
    return 1;
}

var (goldens, pretrained, corpus) =
    (Path.Combine(args[0], "goldens"), Path.Combine(args[0], "pretrained"), Path.Combine(args[0], "corpus"));
var target = new TargetFolder(args[1], check: args.Length == 3);

foreach (var family in Families.All)
    family.Copy(Path.Combine(goldens, family.Name), target, $"tests/data/families/{family.Name}");
Codecs.Copy(goldens, target);
DiscreteVaes.Copy(goldens, target);
Dalle.Copy(goldens, target);
Music.Copy(goldens, target);
DalleMini.Copy(goldens, target);
foreach (var name in (string[])["gpt2-tiny", "stylegan2-tiny"])
    target.CopyFolder(Path.Combine(goldens, name), $"tests/data/{name}");
ImageReferences.Copy(goldens, target);
Speech.Copy(goldens, target);
Training.Copy(goldens, target);
target.CopyFolder(Path.Combine(goldens, "signal"), "tests/data/signal");
target.CopyArchive(Path.Combine(goldens, "tokenizers"), "tests/data/tokenizers/references.zip");
target.CopyArchive(Path.Combine(goldens, "chat"), "tests/data/chat/references.zip");
target.CopyArchive(Path.Combine(goldens, "tuners"), "tests/data/tuners/references.zip");
GgufReferences.Copy(goldens, target);
foreach (var name in (string[])["reference_mars.json", "reference_mars_lora.json"])
    target.Copy(Path.Combine(pretrained, name), $"tests/data/tales/{name}");
target.Write("tests/data/mars-excerpt.txt", Excerpt.FirstLines(File.ReadAllBytes(Path.Combine(corpus, "mars", "train.txt")), lines: 49));

// The weights of the embedded model, without the log of its training.
foreach (var path in Directory.EnumerateFiles(Path.Combine(pretrained, "tales"))
    .Where(path => Path.GetFileName(path) != "pretraining.json"))
    target.Copy(path, $"src/MLTransfer.Models.Tales/model/{Path.GetFileName(path)}");

Console.WriteLine($"{target.Files} files, {target.Different.Count} {(args.Length == 3 ? "differ" : "written anew")}");
foreach (var path in target.Different)
    Console.WriteLine(path);
return args.Length == 3 && target.Different.Count > 0 ? 2 : 0;
