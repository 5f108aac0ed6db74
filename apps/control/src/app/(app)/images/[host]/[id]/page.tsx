import type { ReactNode } from "react";
import { ImagePage } from "@/components/images/image-page.tsx";

export default function ImageRoute(): ReactNode {
  return <ImagePage />;
}
