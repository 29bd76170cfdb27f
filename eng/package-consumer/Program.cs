// What a user's first program does with the packages alone: eng/check-packages.sh builds and runs it outside the repository.
using MLTransfer.Models;
using static TorchSharp.torch;

string[] required = ["config.json", "model.safetensors", "tokenizer.json"];
foreach (string file in required)
{
    if (!File.Exists(Path.Combine(TalesModel.Folder, file)))
        throw new FileNotFoundException($"The model '{TalesModel.Id}' came without '{file}'.", file);
}

using var weight = ones(3, requires_grad: true);
(weight * weight).sum().backward();
float gradient = weight.grad![0].item<float>();
if (gradient != 2)
    throw new InvalidOperationException($"The gradient is {gradient}, expected 2.");

Console.WriteLine("The packages work.");
